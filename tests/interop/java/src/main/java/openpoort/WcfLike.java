package openpoort;

import static openpoort.Main.say;

import java.io.ByteArrayInputStream;
import java.io.StringWriter;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import javax.net.ssl.SSLContext;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.transform.OutputKeys;
import javax.xml.transform.Transformer;
import javax.xml.transform.TransformerFactory;
import javax.xml.transform.dom.DOMSource;
import javax.xml.transform.stream.StreamResult;
import org.apache.wss4j.common.WSEncryptionPart;
import org.apache.wss4j.common.crypto.Crypto;
import org.apache.wss4j.common.crypto.CryptoFactory;
import org.apache.wss4j.common.ext.WSPasswordCallback;
import org.apache.wss4j.dom.WSConstants;
import org.apache.wss4j.dom.WSDataRef;
import org.apache.wss4j.dom.engine.WSSecurityEngine;
import org.apache.wss4j.dom.engine.WSSecurityEngineResult;
import org.apache.wss4j.dom.handler.RequestData;
import org.apache.wss4j.dom.handler.WSHandlerResult;
import org.apache.wss4j.dom.message.WSSecHeader;
import org.apache.wss4j.dom.message.WSSecSignature;
import org.apache.wss4j.dom.message.WSSecTimestamp;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.Node;
import org.w3c.dom.NodeList;

/**
 * What a .NET Framework proxy sends and demands, written with WSS4J: header order Action,
 * MessageID, ReplyTo, To, Security; the action with the port type's name; mustUnderstand on
 * Action and To; SHA-1; and of the answer: its action, its algorithms, its six signed parts, a
 * fresh Timestamp, a certificate with the host's name. .NET itself does not run here.
 */
final class WcfLike {
    private static final String SOAP = "http://schemas.xmlsoap.org/soap/envelope/";
    private static final String WSA = "http://www.w3.org/2005/08/addressing";
    private static final String KV = "http://logius.nl/digipoort/koppelvlakservices/1.2/";
    private static final String SERVICE = "http://logius.nl/digipoort/wus/2.0/aanleverservice/1.2/";

    private final Setting setting;
    private final HttpClient http;

    WcfLike(Setting setting) throws Exception {
        this.setting = setting;
        SSLContext tls = SSLContext.getInstance("TLSv1.2");
        tls.init(setting.keyManagers().getKeyManagers(), setting.trustManagers().getTrustManagers(), null);
        this.http = HttpClient.newBuilder().sslContext(tls).version(HttpClient.Version.HTTP_1_1).build();
        org.apache.wss4j.dom.engine.WSSConfig.init();
    }

    void run() throws Exception {
        String id = "urn:uuid:" + UUID.randomUUID();
        HttpResponse<byte[]> answer = post(request("Omzetbelasting", id));
        say("http", answer.statusCode());
        Document document = parse(answer.body());
        check(document, id);
        say("kenmerk", text(document, KV, "kenmerk"));

        String other = "urn:uuid:" + UUID.randomUUID();
        HttpResponse<byte[]> fault = post(request("Bestaat_niet", other));
        Document refused = parse(fault.body());
        say("faulthttp", fault.statusCode());
        say("faultaction", text(refused, WSA, "Action"));
        say("faultrelates", other.equals(text(refused, WSA, "RelatesTo")));
        say("faultcode", text(refused, KV, "foutcode"));
        // EnableUnsecuredResponse: a fault without Security is taken as it is.
        say("faultsecured", refused.getElementsByTagNameNS(WSConstants.WSSE_NS, "Security").getLength());
    }

    private Document request(String berichtsoort, String id) throws Exception {
        String content = Base64.getEncoder().encodeToString(Files.readAllBytes(setting.file()));
        String must = " s:mustUnderstand=\"1\"";
        String xml = "<s:Envelope xmlns:s=\"" + SOAP + "\" xmlns:a=\"" + WSA + "\"><s:Header>"
            + "<a:Action" + must + ">" + SERVICE + "AanleverService_V1_2/aanleverenRequest</a:Action>"
            + "<a:MessageID>" + id + "</a:MessageID>"
            + "<a:ReplyTo><a:Address>" + WSA + "/anonymous</a:Address></a:ReplyTo>"
            + "<a:To" + must + ">" + setting.address("aanleverservice") + "</a:To>"
            + "</s:Header><s:Body xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\""
            + " xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\"><aanleverRequest xmlns=\"" + KV + "\">"
            + "<berichtsoort>" + berichtsoort + "</berichtsoort><aanleverkenmerk>Happyflow</aanleverkenmerk>"
            + "<identiteitBelanghebbende><nummer>001000044B37</nummer><type>BTW</type></identiteitBelanghebbende>"
            + "<rolBelanghebbende>Bedrijf</rolBelanghebbende><berichtInhoud><mimeType>application/xml</mimeType>"
            + "<bestandsnaam>Omzetbelasting.xbrl</bestandsnaam><inhoud>" + content + "</inhoud></berichtInhoud>"
            + "<autorisatieAdres>http://geenausp.nl</autorisatieAdres></aanleverRequest></s:Body></s:Envelope>";
        Document document = parse(xml.getBytes("UTF-8"));
        WSSecHeader header = new WSSecHeader(document);
        header.insertSecurityHeader();
        // WCF puts Security last in the header, and Timestamp, token, Signature inside it.
        Element security = header.getSecurityHeaderElement();
        security.getParentNode().appendChild(security);
        WSSecSignature signature = new WSSecSignature(header);
        signature.setUserInfo(Setting.ALIAS, Setting.PASSWORD);
        signature.setKeyIdentifierType(WSConstants.BST_DIRECT_REFERENCE);
        signature.setSignatureAlgorithm(WSConstants.RSA_SHA1);
        signature.setDigestAlgo(WSConstants.SHA1);
        signature.setSigCanonicalization(WSConstants.C14N_EXCL_OMIT_COMMENTS);
        signature.setAddInclusivePrefixes(false);
        List<WSEncryptionPart> parts = signature.getParts();
        parts.add(new WSEncryptionPart("Body", SOAP, "Element"));
        for (String name : List.of("Action", "MessageID", "ReplyTo", "To")) {
            parts.add(new WSEncryptionPart(name, WSA, "Element"));
        }
        parts.add(new WSEncryptionPart("Timestamp", WSConstants.WSU_NS, "Element"));
        WSSecTimestamp stamp = new WSSecTimestamp(header);
        stamp.setTimeToLive(300);
        stamp.build();
        signature.build(crypto());
        order(security, "Timestamp", "BinarySecurityToken", "Signature");
        return document;
    }

    private static void order(Element parent, String... names) {
        List<Node> found = new ArrayList<>();
        for (String name : names) {
            for (Node child = parent.getFirstChild(); child != null; child = child.getNextSibling()) {
                if (name.equals(child.getLocalName())) {
                    found.add(child);
                }
            }
        }
        found.forEach(parent::appendChild);
    }

    private HttpResponse<byte[]> post(Document document) throws Exception {
        Transformer transformer = TransformerFactory.newInstance().newTransformer();
        transformer.setOutputProperty(OutputKeys.OMIT_XML_DECLARATION, "yes");
        StringWriter text = new StringWriter();
        transformer.transform(new DOMSource(document), new StreamResult(text));
        HttpRequest request = HttpRequest.newBuilder(URI.create(setting.address("aanleverservice")))
            .header("Content-Type", "text/xml; charset=utf-8")
            .header("SOAPAction", "\"" + SERVICE + "AanleverService_V1_2/aanleverenRequest\"")
            .POST(HttpRequest.BodyPublishers.ofString(text.toString()))
            .build();
        return http.send(request, HttpResponse.BodyHandlers.ofByteArray());
    }

    /** The checks of WCF's AsymmetricBinding on a reply. */
    private void check(Document document, String id) throws Exception {
        RequestData data = new RequestData();
        data.setSigVerCrypto(crypto());
        data.setCallbackHandler(callbacks -> {
            for (var callback : callbacks) {
                ((WSPasswordCallback) callback).setPassword(Setting.PASSWORD);
            }
        });
        WSHandlerResult result = new WSSecurityEngine().processSecurityHeader(document, data);
        Set<String> signed = new HashSet<>();
        Set<String> digests = new HashSet<>();
        for (WSSecurityEngineResult one : result.getActionResults().get(WSConstants.SIGN)) {
            say("signature", one.get(WSSecurityEngineResult.TAG_SIGNATURE_METHOD));
            X509Certificate certificate =
                (X509Certificate) one.get(WSSecurityEngineResult.TAG_X509_CERTIFICATE);
            say("subject", certificate.getSubjectX500Principal().getName());
            @SuppressWarnings("unchecked")
            List<WSDataRef> references =
                (List<WSDataRef>) one.get(WSSecurityEngineResult.TAG_DATA_REF_URIS);
            for (WSDataRef reference : references) {
                signed.add(reference.getName().getLocalPart());
                digests.add(reference.getDigestAlgorithm());
            }
        }
        say("signed", String.join(",", signed.stream().sorted().toList()));
        say("digests", String.join(",", digests));
        say("timestamp", result.getActionResults().get(WSConstants.TS).size());
        say("action", text(document, WSA, "Action"));
        say("relates", id.equals(text(document, WSA, "RelatesTo")));
        say("to", text(document, WSA, "To"));
    }

    private Crypto crypto() throws Exception {
        return CryptoFactory.getInstance(setting.crypto("bedrijf.p12"));
    }

    private static Document parse(byte[] data) throws Exception {
        DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
        factory.setNamespaceAware(true);
        return factory.newDocumentBuilder().parse(new ByteArrayInputStream(data));
    }

    private static String text(Document document, String space, String name) {
        NodeList found = document.getElementsByTagNameNS(space, name);
        return found.getLength() == 0 ? null : found.item(0).getTextContent();
    }
}

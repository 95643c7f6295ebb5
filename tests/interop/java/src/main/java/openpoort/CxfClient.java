package openpoort;

import static openpoort.Main.say;

import jakarta.xml.ws.BindingProvider;
import java.nio.file.Files;
import java.util.List;
import java.util.Map;
import javax.security.auth.callback.Callback;
import javax.security.auth.callback.CallbackHandler;
import javax.xml.namespace.QName;
import nl.logius.digipoort.koppelvlakservices._1.AanleverRequest;
import nl.logius.digipoort.koppelvlakservices._1.AanleverResponse;
import nl.logius.digipoort.koppelvlakservices._1.BerichtInhoudType;
import nl.logius.digipoort.koppelvlakservices._1.BerichtResultaat;
import nl.logius.digipoort.koppelvlakservices._1.GetBerichtenKenmerkRequest;
import nl.logius.digipoort.koppelvlakservices._1.GetStatussenProcesRequest;
import nl.logius.digipoort.koppelvlakservices._1.IdentiteitType;
import nl.logius.digipoort.koppelvlakservices._1.StatusResultaat;
import nl.logius.digipoort.wus._2_0.aanleverservice._1_2.AanleverServiceFault;
import nl.logius.digipoort.wus._2_0.aanleverservice._1_2.AanleverServiceV12;
import nl.logius.digipoort.wus._2_0.aanleverservice._1_2.AanleverServiceV12_Service;
import nl.logius.digipoort.wus._2_0.ophaalservice._1_2.OphaalServiceV12;
import nl.logius.digipoort.wus._2_0.ophaalservice._1_2.OphaalServiceV12_Service;
import nl.logius.digipoort.wus._2_0.statusinformatieservice._1_2.StatusinformatieServiceFault;
import nl.logius.digipoort.wus._2_0.statusinformatieservice._1_2.StatusinformatieServiceV12;
import nl.logius.digipoort.wus._2_0.statusinformatieservice._1_2.StatusinformatieServiceV12_Service;
import org.apache.cxf.configuration.jsse.TLSClientParameters;
import org.apache.cxf.frontend.ClientProxy;
import org.apache.cxf.message.Message;
import org.apache.cxf.phase.AbstractPhaseInterceptor;
import org.apache.cxf.phase.Phase;
import org.apache.cxf.transport.http.HTTPConduit;
import org.apache.cxf.ws.policy.AssertionInfoMap;
import org.apache.wss4j.common.ext.WSPasswordCallback;

/** Generated from our WSDL; its policy alone decides what is signed and what is demanded back. */
final class CxfClient {
    private final Setting setting;

    CxfClient(Setting setting) {
        this.setting = setting;
    }

    void run() throws Exception {
        AanleverServiceV12 aanleveren =
            prepared(new AanleverServiceV12_Service().getAanleverServiceV12(), "aanleverservice");
        byte[] content = Files.readAllBytes(setting.file());
        AanleverResponse answer = aanleveren.aanleveren(request("Omzetbelasting", content));
        say("kenmerk", answer.getKenmerk());
        say("statussen", String.join(",", statuses(answer.getKenmerk())));
        say("retour", retour(answer.getKenmerk()));
        try {
            aanleveren.aanleveren(request("Bestaat_niet", content));
            say("fault", "none");
        } catch (AanleverServiceFault fault) {
            say("fault", fault.getFaultInfo().getFoutcode());
            say("beschrijving", fault.getFaultInfo().getFoutbeschrijving());
        }
        StatusinformatieServiceV12 status = status();
        try {
            GetStatussenProcesRequest unknown = new GetStatussenProcesRequest();
            unknown.setKenmerk("00000000-0000-4000-8000-000000000000");
            status.getStatussenProces(unknown);
            say("statusfault", "none");
        } catch (StatusinformatieServiceFault fault) {
            say("statusfault", fault.getFaultInfo().getFoutcode());
        }
    }

    private AanleverRequest request(String berichtsoort, byte[] content) {
        IdentiteitType who = new IdentiteitType();
        who.setNummer("001000044B37");
        who.setType("Fi");
        BerichtInhoudType document = new BerichtInhoudType();
        document.setMimeType("text/xml");
        document.setBestandsnaam("Omzetbelasting.xbrl");
        document.setInhoud(content);
        AanleverRequest made = new AanleverRequest();
        made.setBerichtsoort(berichtsoort);
        made.setIdentiteitBelanghebbende(who);
        made.setRolBelanghebbende("Bedrijf");
        made.setBerichtInhoud(document);
        made.setAutorisatieAdres("http://geenausp.nl");
        return made;
    }

    private StatusinformatieServiceV12 status() throws Exception {
        return prepared(
            new StatusinformatieServiceV12_Service().getStatusinformatieServiceV12(),
            "statusinformatieservice");
    }

    private List<String> statuses(String kenmerk) throws Exception {
        StatusinformatieServiceV12 port = status();
        GetStatussenProcesRequest question = new GetStatussenProcesRequest();
        question.setKenmerk(kenmerk);
        long until = System.nanoTime() + 60_000_000_000L;
        while (true) {
            List<String> codes = port.getStatussenProces(question).getGetStatussenProcesReturn()
                .getStatusResultaat().stream().map(StatusResultaat::getStatuscode).toList();
            if (codes.contains("500") || System.nanoTime() > until) {
                return codes;
            }
            Thread.sleep(200);
        }
    }

    private int retour(String kenmerk) throws Exception {
        OphaalServiceV12 port =
            prepared(new OphaalServiceV12_Service().getOphaalServiceV12(), "ophaalservice");
        GetBerichtenKenmerkRequest question = new GetBerichtenKenmerkRequest();
        question.setKenmerk(kenmerk);
        long until = System.nanoTime() + 60_000_000_000L;
        while (true) {
            List<BerichtResultaat> found =
                port.getBerichtenKenmerk(question).getGetBerichtenKenmerkReturn().getBerichtResultaat();
            if (!found.isEmpty() || System.nanoTime() > until) {
                return found.isEmpty() ? 0 : found.get(0).getBerichtInhoud().getInhoud().length;
            }
            Thread.sleep(200);
        }
    }

    private <T> T prepared(T port, String service) throws Exception {
        Map<String, Object> context = ((BindingProvider) port).getRequestContext();
        context.put(BindingProvider.ENDPOINT_ADDRESS_PROPERTY, setting.address(service));
        context.put("ws-security.signature.properties", setting.crypto("bedrijf.p12"));
        context.put("ws-security.signature.username", Setting.ALIAS);
        context.put("ws-security.encryption.properties", setting.crypto("trust.p12"));
        context.put("ws-security.callback-handler", (CallbackHandler) CxfClient::password);
        TLSClientParameters tls = new TLSClientParameters();
        tls.setKeyManagers(setting.keyManagers().getKeyManagers());
        tls.setTrustManagers(setting.trustManagers().getTrustManagers());
        ((HTTPConduit) ClientProxy.getClient(port).getConduit()).setTlsClientParameters(tls);
        ClientProxy.getClient(port).getInInterceptors().add(new NotOfSecurity());
        return port;
    }

    /**
     * The published policy has assertions of drafts that CXF does not know, and MTOM as a choice:
     * CXF sends by them, but calls every answer wrong. Signatures are verified as ever.
     */
    private static final class NotOfSecurity extends AbstractPhaseInterceptor<Message> {
        private static final List<QName> NAMES = List.of(
            new QName("http://www.w3.org/2007/05/addressing/metadata", "Anonymous"),
            new QName("AnonymousResponses"),
            new QName(
                "http://schemas.xmlsoap.org/ws/2004/09/policy/optimizedmimeserialization",
                "OptimizedMimeSerialization"));

        NotOfSecurity() {
            super(Phase.PRE_PROTOCOL);
        }

        @Override
        public void handleMessage(Message message) {
            AssertionInfoMap map = message.get(AssertionInfoMap.class);
            if (map != null) {
                NAMES.stream().map(map::getAssertionInfo).forEach(
                    found -> found.forEach(one -> one.setAsserted(true)));
            }
        }
    }

    private static void password(Callback[] callbacks) {
        for (Callback callback : callbacks) {
            ((WSPasswordCallback) callback).setPassword(Setting.PASSWORD);
        }
    }
}

package openpoort;

import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.Properties;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.TrustManagerFactory;

/** Where the gateway is, and the key stores (PKCS#12, password {@code geheim}) of a company. */
record Setting(String url, Path folder, Path file) {
    static final String PASSWORD = "geheim";
    static final String ALIAS = "bedrijf";

    KeyStore keys() throws Exception {
        return load("bedrijf.p12");
    }

    KeyStore trust() throws Exception {
        return load("trust.p12");
    }

    KeyManagerFactory keyManagers() throws Exception {
        KeyManagerFactory factory = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        factory.init(keys(), PASSWORD.toCharArray());
        return factory;
    }

    TrustManagerFactory trustManagers() throws Exception {
        TrustManagerFactory factory =
            TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        factory.init(trust());
        return factory;
    }

    /** WSS4J's properties for one key store. */
    Properties crypto(String store) {
        String prefix = "org.apache.wss4j.crypto.";
        Properties made = new Properties();
        made.put(prefix + "provider", "org.apache.wss4j.common.crypto.Merlin");
        made.put(prefix + "merlin.keystore.type", "pkcs12");
        made.put(prefix + "merlin.keystore.password", PASSWORD);
        made.put(prefix + "merlin.keystore.alias", ALIAS);
        made.put(prefix + "merlin.keystore.file", folder.resolve(store).toString());
        made.put(prefix + "merlin.truststore.type", "pkcs12");
        made.put(prefix + "merlin.truststore.password", PASSWORD);
        made.put(prefix + "merlin.truststore.file", folder.resolve("trust.p12").toString());
        return made;
    }

    String address(String service) {
        return url + "/wus/2.0/" + service + "/1.2";
    }

    private KeyStore load(String name) throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(folder.resolve(name))) {
            store.load(in, PASSWORD.toCharArray());
        }
        return store;
    }
}

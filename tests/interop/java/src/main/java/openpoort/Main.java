package openpoort;

import java.nio.file.Path;

/** Runs one of the clients: {@code Main cxf|wcf URL FOLDER FILE}. Each prints name=value lines. */
public final class Main {
    private Main() {
    }

    public static void main(String[] words) throws Exception {
        Setting setting = new Setting(words[1], Path.of(words[2]), Path.of(words[3]));
        switch (words[0]) {
            case "cxf" -> new CxfClient(setting).run();
            case "wcf" -> new WcfLike(setting).run();
            default -> throw new IllegalArgumentException(words[0]);
        }
    }

    static void say(String name, Object value) {
        System.out.println(name + "=" + String.valueOf(value).replace('\n', ' '));
    }
}

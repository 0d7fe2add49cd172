import java.io.IOException;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import okhttp3.Authenticator;
import okhttp3.MediaType;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import okhttp3.Route;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A desktop client with OkHttp: `Desktop BASE FLAWS STEP…`; it passes time by writing the file CLOCK. */
public class Desktop {
    static final MediaType JSON = MediaType.get("application/json");
    static final Object LOCK = new Object();
    static String base, flaws, access = "", refresh = "";

    static String field(String body, String name) {
        Matcher found = Pattern.compile("\"" + name + "\":\"([^\"]*)\"").matcher(body);
        return found.find() ? found.group(1) : "";
    }

    static Request.Builder to(String path) {
        return new Request.Builder().url(base + path).header("User-Agent", "okhttp/3.13.1");
    }

    /** One of the app's clients, each with an authenticator of its own. */
    static class Client implements Authenticator {
        final Logger log;
        final OkHttpClient http;
        String known = refresh;

        Client(String name) {
            log = LoggerFactory.getLogger("com.example.shop." + name);
            http = new OkHttpClient.Builder().authenticator(this).readTimeout(400, TimeUnit.MILLISECONDS).build();
        }

        void get(String path) {
            String sent = access;
            Request.Builder request = to(path);
            if (!sent.isEmpty()) request.header("Authorization", "Bearer " + sent);
            try (Response answer = http.newCall(request.build()).execute()) {
                log.info("GET {} -> {}", path, answer.code());
            } catch (IOException error) {
                log.warn("GET " + path + " failed", error);
            }
        }

        @Override
        public Request authenticate(Route route, Response response) throws IOException {
            if (response.priorResponse() != null || !response.request().url().encodedPath().startsWith("/v1")) return null;
            log.info("401 for {}, refreshing token", response.request().url().encodedPath());
            if (flaws.contains("split")) return renew(response, known);
            synchronized (LOCK) {
                String used = response.request().header("Authorization");
                if (used != null && !used.equals("Bearer " + access)) {
                    log.debug("token was refreshed by another call");
                    return response.request().newBuilder().header("Authorization", "Bearer " + access).build();
                }
                return renew(response, refresh);
            }
        }

        Request renew(Response response, String token) throws IOException {
            Request ask = to("/auth/refresh").post(RequestBody.create(JSON, "{\"refreshToken\":\"" + token + "\"}")).build();
            try (Response answer = http.newCall(ask).execute()) {
                String body = answer.body().string();
                if (answer.isSuccessful()) {
                    access = field(body, "accessToken");
                    known = field(body, "refreshToken");
                    if (!flaws.contains("split")) refresh = known;
                    log.info("token refreshed");
                    return response.request().newBuilder().header("Authorization", "Bearer " + access).build();
                }
                log.error("token refresh failed: {} {}", answer.code(), body);
                if (answer.code() == 400 || answer.code() == 401) clear();
            } catch (IOException error) {
                log.error("token refresh failed", error);
                if (flaws.contains("wipe")) clear();
            }
            return null;
        }

        void clear() {
            access = refresh = known = "";
            log.warn("clearing tokens, user has to sign in again");
        }
    }

    static void pass(String seconds) throws IOException {
        java.nio.file.Path clock = java.nio.file.Path.of(System.getenv("CLOCK")), next = java.nio.file.Path.of(clock + ".next");
        double now = Double.parseDouble(java.nio.file.Files.readString(clock).trim());
        java.nio.file.Files.writeString(next, String.valueOf(now + Double.parseDouble(seconds)));
        java.nio.file.Files.move(next, clock, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    }

    public static void main(String[] given) throws Exception {
        base = given[0];
        flaws = given[1];
        Client identity = new Client("identity.IdentityApi");
        Client biometric = new Client("biometric.BiometricApi");
        for (int at = 2; at < given.length; at++) {
            String[] step = given[at].split(":");
            switch (step[0]) {
                case "login" -> {
                    Request ask = to("/auth/login").post(RequestBody.create(JSON, "{\"email\":\"olga@example.test\"}")).build();
                    try (Response answer = identity.http.newCall(ask).execute()) {
                        String body = answer.body().string();
                        access = field(body, "accessToken");
                        refresh = identity.known = biometric.known = field(body, "refreshToken");
                        identity.log.info("signed in, expires in 900 s");
                    }
                }
                case "pass" -> pass(step[1]);
                case "identity" -> identity.get(step[1]);
                case "biometric" -> biometric.get(step[1]);
                case "both" -> {
                    Thread other = new Thread(() -> biometric.get("/v1/messages"), "sync-worker-1");
                    other.start();
                    identity.get("/v1/orders");
                    other.join();
                }
                default -> throw new IllegalArgumentException(given[at]);
            }
            Thread.sleep(20);
        }
        identity.http.dispatcher().executorService().shutdown();
        System.exit(0);
    }
}

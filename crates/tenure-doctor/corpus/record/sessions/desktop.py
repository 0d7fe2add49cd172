"""A desktop client in Java with OkHttp and Logback against the shop's API: the incident `token-loss` in other variants."""

from lab.common import PROGRAMS, case, ensure
from lab.versions import debian, npm
from sessions.shop import API, Shop

JAVA = f"{debian('libokhttp-java', 'liblogback-java')}, OpenJDK 17, {API}"
JARS = ":".join(f"/usr/share/java/{name}.jar" for name in ("okhttp", "okio", "slf4j-api", "logback-classic", "logback-core"))
PATTERNS = {"logback": "%d{yyyy-MM-dd HH:mm:ss.SSS} [%thread] %-5level %logger{36} - %msg%n",
            "boot": "%d{yyyy-MM-dd'T'HH:mm:ss.SSSXXX, UTC} %5p ${PID:-14711} --- [desktop] [%15.15t] %-40.40logger{39} : %m%n"}


def desktop(shop, pattern, flaws, *steps) -> str:
    """What the client's logger wrote."""
    config = shop.lab.write("logback.xml", f"""<configuration><appender name="out" class="ch.qos.logback.core.ConsoleAppender"><encoder>
<pattern>{PATTERNS[pattern]}</pattern></encoder></appender><root level="DEBUG"><appender-ref ref="out"/></root></configuration>""")
    text = shop.story.run(["java", "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-cp", JARS, f"-Dlogback.configurationFile={config}", "-Dlogback.statusListenerClass="
                           "ch.qos.logback.core.status.NopStatusListener", PROGRAMS / "Desktop.java", shop.api.base, flaws or "none", *steps], seconds=90)
    return "".join(line + "\n" for line in text.splitlines() if "|-" not in line)


@case("okhttp-two-clients-without-common-lock", family="session", expected=["TN0602"], settling=True, recorded=f"{JAVA}, {npm('pino')}",
      fault="Two OkHttp clients keep a refresh token each; the one presents what the other has used, and all is revoked.")
def two_clients(lab):
    shop = Shop(lab, "2026-09-21T15:00:00")
    text = desktop(shop, "logback", "split", "login", "identity:/v1/me", "biometric:/v1/cart", "pass:450", "identity:/v1/orders", "pass:460",
                   "identity:/v1/orders", "pass:12", "pass:905", "biometric:/v1/cart", "identity:/v1/me")
    ensure("Invalid refresh token" in text and "clearing tokens" in text, text)
    shop.traffic(2)
    return shop.story.inputs(logs={"desktop.log": text, "api.log": shop.api.log()})


@case("okhttp-session-cleared-on-socket-timeout", family="session", expected=["TN0604"], settling=True, recorded=JAVA,
      fault="The refresh runs into OkHttp's read timeout, and the client clears its tokens.")
def timeout(lab):
    shop = Shop(lab, "2026-09-22T07:40:00", plan=["ok", "hang"])
    text = desktop(shop, "boot", "wipe", "login", "identity:/v1/me", "pass:905", "both", "pass:300", "both", "pass:610", "identity:/v1/orders",
                   "biometric:/v1/cart")
    ensure("SocketTimeoutException" in text and "clearing tokens" in text, text)
    return shop.story.inputs(logs={"application.log": text})


@case("healthy-okhttp-one-lock", family="healthy", recorded=f"{JAVA}, {npm('pino')}",
      fault="None: both clients share tokens and lock; a refresh timed out once, and the session was kept.")
def one_lock(lab):
    shop = Shop(lab, "2026-09-23T07:40:00", plan=["ok", "hang"])
    text = desktop(shop, "boot", "", "login", "both", "pass:905", "both", "pass:400", "both", "pass:510", "identity:/v1/orders", "pass:3",
                   "both", "pass:905", "both")
    ensure("clearing" not in text and "another call" in text, text)
    shop.traffic(3)
    return shop.story.inputs(logs={"application.log": text, "api.log": shop.api.log()})

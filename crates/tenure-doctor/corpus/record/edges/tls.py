"""Client certificates at the edge: nginx, HAProxy and Caddy that ask for one."""

import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from lab import edges
from lab.common import case, ensure, inputs, only, record, status, target
from lab.edges import certificate, service
from lab.traffic import CURL, curl, joined, nginx, sped

NGINX = "nginx 1.22.1, OpenSSL 3.0"
HAPROXY = "HAProxy 2.6.12, OpenSSL 3.0"
CADDY = "Caddy 2.6.2"
HOST = "api.example.test"


def authority(lab, name: str):
    """A client authority: its certificate's path, and a maker of client certificates."""
    now, root = datetime.datetime.now(datetime.timezone.utc), ec.generate_private_key(ec.SECP256R1())
    named = lambda text: x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text), x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Example Corp")])
    pem = lambda part: part.public_bytes(serialization.Encoding.PEM).decode()

    def issue(subject, public, start, end, is_authority):
        build = x509.CertificateBuilder(named(name), named(subject), public, x509.random_serial_number(), start, end)
        return build.add_extension(x509.BasicConstraints(is_authority, None), True).sign(root, hashes.SHA256())

    def client(subject, *, ended_days_ago=-200):
        key = ec.generate_private_key(ec.SECP256R1())
        made = issue(subject, key.public_key(), now - datetime.timedelta(days=400), now - datetime.timedelta(days=ended_days_ago), False)
        private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
        return str(lab.write(f"clients/{subject}.pem", pem(made) + private))

    top = issue(name, root.public_key(), now - datetime.timedelta(days=900), now + datetime.timedelta(days=900), True)
    return str(lab.write(f"tls/{name}.pem", pem(top))), client


def guarded(lab, api, clients: str, *, level="info", verify="on", **more):
    pem, ca = certificate(lab, HOST)
    edge = nginx(lab, f"ssl_certificate {pem};\nssl_certificate_key {pem};\nssl_client_certificate {clients};\nssl_verify_client {verify};\n"
                 f"location / {{ proxy_pass http://{api.direct}; }}", listen=" ssl", level=level, **more)
    return edge, ca


def call(edge, ca, *arguments, path="/orders"):
    return curl(f"https://{HOST}{path}", *arguments, connect={f"{HOST}:443": edge.port}, ca=ca)


@case("ways-nginx-certificate-missing", family="gateway", expected=["TN0314"], settling=True, recorded=NGINX,
      fault="nginx asks for a client certificate, the new client sends none: 400 with any token.")
def missing(lab):
    api = service(lab)
    clients, _ = authority(lab, "partners-ca")
    edge, ca = guarded(lab, api, clients)
    token, wanted = api.token(), target(f"https://{HOST}/orders")
    sent = record(wanted, token, ca=ca, resolve={f"{HOST}:443": [f"127.0.0.1:{edge.port}"]}, direct=api.direct)
    ensure(status(sent, "client") == 400, "no certificate")
    return inputs(token=token, target=wanted, exchanges=sent, keys={"jwks.json": api.jwks()})


@case("ways-nginx-certificate-of-other-authority", family="gateway", expected=["TN0314"], settling=True, recorded=f"{NGINX}, {CURL}",
      fault="The client's certificate is of the test authority, production trusts another: nginx answers 400 for it alone.")
def other(lab):
    api = service(lab)
    clients, make = authority(lab, "partners-ca")
    _, test = authority(lab, "partners-test-ca")
    with sped(55):
        edge, ca = guarded(lab, api, clients)
    good, wrong, token = make("acme-erp"), test("globex-shop"), api.token()
    for number in range(12):
        call(edge, ca, "--cert", good, "-H", f"Authorization: Bearer {token}", path=f"/orders/{number}")
        if number % 2:
            call(edge, ca, "--cert", wrong, "-H", f"Authorization: Bearer {token}")
        if number % 5 == 0:
            call(edge, ca, path="/robots.txt")
    access, error = joined(lab, "nginx/access.log"), joined(lab, "nginx/error.log")
    ensure("client SSL certificate verify error" in error and '" 400 ' in access and '" 200 ' in access, "one client")
    return inputs(logs={"access.log": access, "error.log": error})


@case("ways-nginx-certificate-expired", family="gateway", expected=["TN0314"], settling=True, recorded=f"{NGINX}, {CURL}",
      fault="The partner's client certificate ran out ten days ago; its calls get 400 from nginx. One curl -v and nginx's error log are at hand.")
def expired(lab):
    api = service(lab)
    clients, make = authority(lab, "partners-ca")
    edge, ca = guarded(lab, api, clients)
    shown = call(edge, ca, "--cert", make("acme-erp", ended_days_ago=10), "-H", f"Authorization: Bearer {api.token()}")
    error = joined(lab, "nginx/error.log")
    ensure("certificate has expired" in error and "400 Bad Request" in shown, "expired")
    return inputs(logs={"curl.txt": shown, "error.log": error})


@case("ways-haproxy-certificate-missing", family="gateway", expected=["TN0314"], settling=True, recorded=HAPROXY,
      fault="HAProxy binds with `verify required`: the handshake of a client without a certificate fails, which the app reports as a network error.")
def haproxy_missing(lab):
    api = service(lab)
    clients, _ = authority(lab, "partners-ca")
    pem, ca = certificate(lab, HOST)
    edge = edges.haproxy(lab, "default_backend api", f"backend api\n    server api1 127.0.0.1:{api.port}", bind=f" ssl crt {pem} ca-file {clients} verify required")
    token, wanted = api.token(), target(f"https://{HOST}/orders")
    sent = record(wanted, token, ca=ca, resolve={f"{HOST}:443": [f"127.0.0.1:{edge.port}"]})
    log = joined(lab, "haproxy.out")
    ensure(status(sent, "client") == 0 and "SSL handshake failure" in log, "no handshake")
    return inputs(token=token, target=wanted, exchanges=only(sent, "client", "bare", "again*"), files=edge.config, logs={"haproxy.log": log})


@case("ways-caddy-certificate-required-curl", family="gateway", expected=["TN0314"], settling=True, recorded=f"{CADDY}, {CURL}",
      fault="Caddy requires and verifies client certificates; curl without one ends with a TLS alert.")
def caddy_required(lab):
    api = service(lab)
    clients, _ = authority(lab, "partners-ca")
    pem, ca = certificate(lab, HOST)
    port = lab.port()
    edge = edges.caddy(lab, f"tls {pem} {pem} {{\n\tclient_auth {{\n\t\tmode require_and_verify\n\t\ttrusted_ca_cert_file {clients}\n\t}}\n}}\nreverse_proxy 127.0.0.1:{api.port}",
                       address=f"https://{HOST}:{port}", port=port)
    shown = call(edge, ca, "-H", f"Authorization: Bearer {api.token()}")
    ensure("alert" in shown, shown[-400:])
    return inputs(logs={"curl.txt": shown}, files=edge.config)


@case("ways-healthy-certificates", family="healthy", recorded=f"{NGINX}, {CURL}",
      fault="Nothing: partners come with their certificates and are served; only scanners without one get 400.")
def healthy(lab):
    api = service(lab)
    clients, make = authority(lab, "partners-ca")
    with sped(200, 100):
        edge, ca = guarded(lab, api, clients)
    partners = [make(name) for name in ("acme-erp", "globex-shop", "initech-warehouse")]
    token = api.token()
    for number in range(45):
        call(edge, ca, "--cert", partners[number % 3], "-A", "partner-sync/2.4", "-H", f"Authorization: Bearer {token}", path=f"/orders/{number}")
        if number % 8 == 3:
            call(edge, ca, "-A", "Mozilla/5.0 zgrab/0.x", path="/.env")
    access, error = joined(lab, "nginx/access.log"), joined(lab, "nginx/error.log")
    ensure(access.count('" 400 ') == 6 and access.count('" 200 ') == 45, "well")
    return inputs(token=api.token(), keys={"jwks.json": api.jwks()}, logs={"access.log": access, "error.log": error})

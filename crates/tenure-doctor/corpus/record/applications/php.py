"""PHP-FPM behind Apache and nginx."""

import secrets

from applications.node import asked
from lab import edges
from lab.common import PROGRAMS, Lab, case, ensure, inputs, only, record, status, target
from lab.stacks import Clock, hs

FPM = "PHP 8.2.36 (FPM)"


def fpm(lab: Lab, secret: str, clock: Clock | None = None) -> int:
    """Starts a pool; answers its port."""
    port = lab.port()
    (lab.folder / "public").mkdir()
    (lab.folder / "public/index.php").write_text((PROGRAMS / "index.php").read_text())
    conf = lab.write("fpm.conf", f"""[global]
error_log = /dev/stderr
daemonize = no
[www]
user = www-data
group = www-data
listen = 127.0.0.1:{port}
pm = static
pm.max_children = 2
clear_env = no
catch_workers_output = yes
decorate_workers_output = no
access.log = /proc/self/fd/2
""")
    lab.start("fpm", ["php-fpm8.2", "-F", "-n", "-y", conf], port=port, env={"OPTIONS": f'{{"secret": "{secret}"}}', **(clock.env() if clock else {})})
    return port


def site(lab: Lab, port: int, more="") -> str:
    return f"""<VirtualHost 127.0.0.1>
  DocumentRoot {lab.folder}/public
  <Directory {lab.folder}/public>
    Require all granted
    FallbackResource /index.php
{more}  </Directory>
  <FilesMatch "\\.php$">
    SetHandler "proxy:fcgi://127.0.0.1:{port}"
  </FilesMatch>
</VirtualHost>
"""


def hosted(lab: Lab, secret: str, more="") -> edges.Edge:
    text = site(lab, fpm(lab, secret), more).replace("<VirtualHost 127.0.0.1>", "<VirtualHost *>")
    return edges.apache(lab, text, modules=["proxy", "proxy_fcgi"])


@case("php-fpm-apache-keeps-authorization", family="edge", expected=["TN0212"], settling=True, recorded=f"Apache 2.4.71 (proxy_fcgi), {FPM}",
      fault="The move from mod_php to FPM: proxy_fcgi does not hand Authorization on, so the script finds no token; a page of the app shows the headers that arrive.")
def keeps(lab):
    secret = secrets.token_hex(32)
    edge = hosted(lab, secret)
    wanted = target(edge.url("/api/orders"))
    token = hs(secret)()
    exchanges = record(wanted, token, echo=edge.url("/debug/headers"))
    ensure(status(exchanges, "client") == status(exchanges, "bare") == 401, str(status(exchanges, "client")))
    return inputs(token=token, target=wanted, exchanges=exchanges, files=edge.config, keys={"app.secret": secret})


@case("php-fpm-apache-keeps-authorization-poor", family="edge", expected=["TN0212"], settling=False, recorded=f"Apache 2.4.71 (proxy_fcgi), {FPM}",
      fault="As the move to FPM; there are three probes, the virtual host and Apache's access log.")
def keeps_poor(lab):
    secret = secrets.token_hex(32)
    edge = hosted(lab, secret)
    wanted = target(edge.url("/api/orders"))
    token = hs(secret)()
    exchanges = only(record(wanted, token), "client", "bare", "garbage")
    ensure(status(exchanges, "client") == status(exchanges, "garbage") == 401, str(status(exchanges, "client")))
    return inputs(token=token, target=wanted, exchanges=exchanges, files={"sites-enabled/shop.conf": edge.config["apache2.conf"]}, logs={"access.log": lab.read("apache/access.log")})


@case("php-healthy-cgi-pass-auth", family="healthy", recorded=f"Apache 2.4.71 (proxy_fcgi), {FPM}",
      fault="None: CGIPassAuth is on, so the script gets the token; a .htaccess of old times sets it a second time.")
def pass_auth(lab):
    secret = secrets.token_hex(32)
    edge = hosted(lab, secret, "    CGIPassAuth On\n")
    wanted = target(edge.url("/api/orders"))
    token, old = hs(secret)(), hs(secret)(age=90000)
    exchanges = record(wanted, token, old_token=old)
    ensure(status(exchanges, "client") == 200 and status(exchanges, "old") == 401, str(status(exchanges, "client")))
    htaccess = "RewriteEngine On\nRewriteCond %{HTTP:Authorization} .\nRewriteRule .* - [E=HTTP_AUTHORIZATION:%{HTTP:Authorization}]\n"
    return inputs(token=token, old_token=old, target=wanted, exchanges=exchanges, files={**edge.config, "public/.htaccess": htaccess})


@case("php-nginx-secret-of-example", family="verifier", expected=["TN0407"], settling=True, recorded=f"nginx 1.22.1, {FPM}",
      fault="The container was started with .env.example's secret, the auth service has the real one; both files are there.")
def example(lab):
    signs, verifies = secrets.token_hex(32), "change-me-change-me-change-me-32"
    port = fpm(lab, verifies)
    edge = edges.nginx(lab, f"root {lab.folder}/public;\nlocation / {{ try_files $uri /index.php$is_args$args; }}\nlocation ~ \\.php$ {{\n  include /etc/nginx/fastcgi_params;\n  fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;\n  fastcgi_pass 127.0.0.1:{port};\n}}")
    wanted = target(edge.url("/api/orders"))
    token = hs(signs)()
    exchanges = asked("again*")(record(wanted, token))
    ensure("Signature verification failed" in str(exchanges), "refused")
    files = {"api/.env": f"APP_ENV=production\nJWT_SECRET={verifies}\n", "api/.env.example": f"APP_ENV=local\nJWT_SECRET={verifies}\n", "auth/.env": f"APP_ENV=production\nJWT_SECRET={signs}\n"}
    return inputs(token=token, target=wanted, exchanges=exchanges, files={**files, **edge.config}, logs={"fpm.log": lab.read("fpm.out")})

"""Firewalls and gates of hosting platforms on the way, after what their users report."""

import json

from lab.common import case, inputs
from lab.documented import documented, html, json_, text, token

AKAMAI = """<HTML><HEAD>
<TITLE>Access Denied</TITLE>
</HEAD><BODY>
<H1>Access Denied</H1>
 
You don't have permission to access "http://api.example.test/v1/orders" on this server.<P>
Reference #18.5d1e2f17.1795290000.1a2b3c4d
</BODY>
</HTML>
"""
GATEWAY_403 = ("<html>\r\n<head><title>403 Forbidden</title></head>\r\n<body>\r\n<center><h1>403 Forbidden</h1></center>\r\n"
               "<hr><center>Microsoft-Azure-Application-Gateway/v2</center>\r\n</body>\r\n</html>\r\n")
AZURE = "You do not have permission to view this directory or page."
OK = '{"orders":[]}'

denied = html(403, AKAMAI, server="AkamaiGHost", mime_version="1.0")
documented("ways-akamai-denies", family="edge", expected=["TN0206"], source="Ekultek/WhatWaf#1162 (a recorded answer of AkamaiGHost)",
           fault="A rule at Akamai denies the request before the API sees it, with any token or none; the origin accepts it.",
           answers={"client": denied, "bare": denied, "altered": denied, "other-path": denied, "direct": json_(200, OK, server="uvicorn")})

documented("ways-akamai-denies-poor", family="edge", expected=["TN0206"], settling=False, source="Ekultek/WhatWaf#1162 (a recorded answer of AkamaiGHost)",
           fault="As a rule at Akamai; one request with and one without the token.", answers={"client": denied, "bare": denied})

scanner = html(403, GATEWAY_403, server="Microsoft-Azure-Application-Gateway/v2")
documented("ways-azure-gateway-scripting-agent", family="edge", expected=["TN0206"], source="dfe-analytical-services/explore-education-statistics#5365",
           fault="Rule 913101 of the core rule set on Azure's Application Gateway blocks user agents of scripting clients: 403, whatever the token.",
           answers={"client": scanner, "bare": scanner, "altered": scanner, "browser": json_(200, OK, server="Kestrel")})

banned = text(403, "error code: 1010", server="cloudflare", cf_ray="9a1b2c3d4e5f6071-FRA")
documented("ways-cloudflare-bans-signature", family="edge", expected=["TN0204", "TN0206"], source="source-cooperative/data.source.coop#134; artokun/comfyui-mcp#937",
           fault="Cloudflare's browser integrity check bans the client's user agent: 403 `error code: 1010`; a browser's passes.",
           answers={"client": banned, "bare": banned, "altered": banned, "browser": json_(200, OK, server="cloudflare", cf_ray="9a1b2c3d4e5f6072-FRA")})

iap = text(401, "Invalid IAP credentials: empty token", x_goog_iap_generated_response="true")
documented("ways-google-iap-before-api", family="edge", expected=["TN0208"], source="flyteorg/flyte#6089; GoogleCloudPlatform/professional-services#603",
           fault="Google's Identity-Aware Proxy was switched on for the backend; a call without IAP's own token gets no further.",
           answers={"client": text(401, "Invalid IAP credentials: JWT audience doesn't match this application ('aud' claim (orders-api) doesn't match expected value (1234567890-abcdef.apps.googleusercontent.com))", x_goog_iap_generated_response="true"),
                    "bare": iap, "other-path": iap})

easy = text(401, AZURE, www_authenticate='Bearer realm="api.example.test" authorization_uri="https://login.windows.net/11111111-2222-3333-4444-555555555555/oauth2/authorize" resource_id="0a0b0c0d-1111-2222-3333-444455556666"')
documented("ways-azure-easy-auth", family="edge", expected=["TN0208"], source="AzureAD/microsoft-authentication-library-for-dotnet#2425",
           fault="App Service's own authentication was switched on before the API: it refuses tokens of the API's issuer.",
           answers={"client": easy, "bare": easy, "altered": easy, "other-path": easy})


@case("ways-cloud-run-invoker-log", family="edge", expected=["TN0208"], settling=True, documented="GoogleCloudPlatform/esp-v2#542; cloud.google.com/run/docs/troubleshooting",
      fault="A deploy without --allow-unauthenticated: Cloud Run asks for its own invoker's token, and refuses the app's; only its request log is at hand.")
def cloud_run(_lab):
    lines = []
    for number in range(64):
        refused = number > 30 and number % 9 != 0
        agent = "GoogleHC/1.0" if number % 9 == 0 else ("okhttp/4.12.0", "axios/1.7.7", "ShopApp/7.4.1")[number % 3]
        entry = {"httpRequest": {"requestMethod": "GET", "requestUrl": "https://orders-api-x7k2m-ew.a.run.app" + ("/orders", "/orders/17", "/orders?page=2")[number % 3],
                                 "status": 403 if refused else 200, "userAgent": agent, "remoteIp": f"198.51.100.{number % 7 + 20}", "latency": f"0.0{number % 8 + 1}s"},
                 "resource": {"type": "cloud_run_revision", "labels": {"service_name": "orders-api", "revision_name": f"orders-api-000{41 + (number > 30)}-abc", "location": "europe-west1"}},
                 "severity": "WARNING" if refused else "INFO", "timestamp": f"2026-11-20T09:{10 + number // 4:02}:{number % 4 * 14:02}.12Z",
                 "logName": "projects/shop-prod/logs/run.googleapis.com%2Frequests"}
        if refused:
            entry["textPayload"] = ("The request was not authorized to invoke this service. Read more at https://cloud.google.com/run/docs/securing/authenticating "
                                    "Additional troubleshooting documentation can be found at: https://cloud.google.com/run/docs/troubleshooting#unauthorized-client")
        lines.append(json.dumps(entry))
    return inputs(token=token(), logs={"run-requests.ndjson": "\n".join(lines) + "\n"})

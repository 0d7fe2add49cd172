//! Files and a service with a secret wherever one can be.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use tenure_lab::canary::Search;

use super::loud::Loud;
use crate::api::Api;
use crate::mint::{Mint, claims, now};
use crate::place::Place;

/// What was planted, where (in `given/`), and the search for it.
pub(super) struct Planted {
    pub(super) seed: u64,
    pub(super) place: Place,
    pub(super) api: Api,
    pub(super) search: Search,
    pub(super) labels: Vec<&'static str>,
    pub(super) token: String,
    pub(super) secret: String,
    pub(super) password: String,
}

/// The secrets by their labels.
struct Secrets {
    token: String,
    old: String,
    opaque: String,
    refresh: String,
    next_refresh: String,
    secret: String,
    password: String,
    sentence: String,
    client_secret: String,
    cookie: String,
    mail: String,
    api_key: String,
    code: String,
    aws_id: String,
    aws_key: String,
}

fn letters(random: &mut fastrand::Rng, count: usize) -> String {
    (0..count).map(|_| random.alphanumeric()).collect()
}

impl Secrets {
    fn new(seed: u64, mint: &Mint) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let random = &mut random;
        let lower =
            |random: &mut fastrand::Rng| (0..9).map(|_| random.lowercase()).collect::<String>();
        let mail = format!(
            "{}.{}@{}.example",
            lower(random),
            lower(random),
            lower(random)
        );
        let minted = |issued: u64| {
            let members = json!({"email": mail, "iat": issued, "exp": issued + 900, "jti": mail});
            mint.token(&claims(&members))
        };
        Self {
            token: minted(now() - 60),
            old: minted(now() - 9_000),
            opaque: letters(random, 43),
            refresh: format!("rt_{}", letters(random, 40)),
            next_refresh: letters(random, 64),
            secret: letters(random, 48),
            password: format!("{}7!{}", lower(random), letters(random, 6)),
            sentence: format!("{} {} {}", lower(random), lower(random), lower(random)),
            client_secret: letters(random, 32),
            cookie: letters(random, 26),
            api_key: format!("sk_live_{}", letters(random, 24)),
            code: letters(random, 22),
            aws_id: format!("AKIA{}", letters(random, 16).to_uppercase()),
            aws_key: format!(
                "{}/{}+{}",
                letters(random, 12),
                letters(random, 14),
                letters(random, 12)
            ),
            mail,
        }
    }

    /// A service that tells them.
    fn told_by(&self, jwks: String) -> Loud {
        Loud {
            mail: self.mail.clone(),
            cookie: self.cookie.clone(),
            refresh: self.next_refresh.clone(),
            code: self.code.clone(),
            sentence: self.sentence.clone(),
            jwks,
        }
    }

    fn needles(&self) -> Vec<(&'static str, &str)> {
        let parts: Vec<_> = self.token.split('.').collect();
        vec![
            ("access token", &self.token),
            ("payload of the access token", parts[1]),
            ("signature of the access token", parts[2]),
            ("old token", &self.old),
            ("opaque token", &self.opaque),
            ("refresh token", &self.refresh),
            ("next refresh token", &self.next_refresh),
            ("shared secret", &self.secret),
            ("password", &self.password),
            ("password of words", &self.sentence),
            ("client secret", &self.client_secret),
            ("cookie", &self.cookie),
            ("mail address", &self.mail),
            ("API key", &self.api_key),
            ("authorization code", &self.code),
            ("AWS key id", &self.aws_id),
            ("AWS secret key", &self.aws_key),
        ]
    }

    /// JSON lines, logfmt, a line of nginx, and lines of words.
    fn log(&self) -> String {
        let Self {
            token,
            refresh,
            next_refresh,
            password,
            sentence,
            cookie,
            mail,
            code,
            opaque,
            api_key,
            client_secret,
            secret,
            aws_id,
            aws_key,
            ..
        } = self;
        let basic = STANDARD.encode(format!("app:{client_secret}"));
        let at = |second: u64| (now() - 600 + second) * 1000;
        let lines = [
            json!({"level": 30, "time": at(0), "pid": 1, "userId": mail, "req": {"method": "POST", "url": format!("/login?password={password}&email={mail}"), "headers": {"authorization": format!("Basic {basic}"), "cookie": format!("session={cookie}"), "x-api-key": api_key}, "body": {"email": mail, "password": sentence}}, "res": {"statusCode": 200, "body": {"access_token": token, "refresh_token": refresh, "expires_in": 900}}, "msg": "request completed"}).to_string(),
            json!({"level": 30, "time": at(1), "pid": 1, "userId": mail, "req": {"method": "GET", "url": format!("/items?access_token={token}"), "headers": {"authorization": format!("Bearer {token}")}}, "res": {"statusCode": 401}, "msg": format!("invalid token {token} of {mail}")}).to_string(),
            format!("token_refresh_started {{\"refresh_token\":\"{refresh}\",\"user\":\"{mail}\"}}"),
            format!("token_refresh_succeeded {{\"old_refresh_token\":\"{refresh}\",\"new_refresh_token\":\"{next_refresh}\",\"user\":\"{mail}\"}}"),
            format!("token_refresh_failed {{\"refresh_token\":\"{refresh}\",\"user\":\"{mail}\",\"status\":400,\"error\":\"invalid_grant\",\"error_description\":\"{refresh} of {mail} was used\"}}"),
            format!("time=2026-11-21T18:00:00Z level=warn msg=\"refresh failed\" user={mail} refresh_token={refresh} password=\"{sentence}\" error=\"token {opaque} is unknown\""),
            format!("192.0.2.1 - {mail} [21/Nov/2026:18:00:00 +0000] \"GET /callback?code={code}&state=abc HTTP/1.1\" 403 2 \"https://ann:{password}@app.example.com/?token={opaque}\" \"curl/8\""),
            format!("[WARNING] core.auth: Using memory cache for: refresh_token:{refresh} (cache=None, url=redis://:{password}@redis:6379/0)"),
            format!("ERROR could not verify with JWT_SECRET={secret} client_secret={client_secret}"),
            format!("aws: AWS_ACCESS_KEY_ID={aws_id} AWS_SECRET_ACCESS_KEY={aws_key} denied"),
            format!("Set-Cookie: session={cookie}; HttpOnly"),
        ];
        lines.join("\n") + "\n"
    }

    fn traffic(&self) -> String {
        let Self {
            token,
            refresh,
            cookie,
            mail,
            code,
            password,
            ..
        } = self;
        let field = |name: &str, value: &str| json!({"name": name, "value": value});
        let entry = |url: &str, status: u64, body: String| {
            json!({
                "startedDateTime": "2026-11-21T18:00:00.000Z", "time": 12,
                "request": {"method": "POST", "url": url, "headers": [field("Authorization", &format!("Bearer {token}")), field("Cookie", &format!("session={cookie}"))],
                    "queryString": [field("code", code)], "cookies": [field("session", cookie)], "postData": {"mimeType": "application/json", "text": json!({"refresh_token": refresh, "password": password}).to_string()}},
                "response": {"status": status, "statusText": "", "headers": [field("Set-Cookie", &format!("session={cookie}; Secure"))], "cookies": [field("session", cookie)],
                    "content": {"mimeType": "application/json", "text": body}, "redirectURL": format!("https://app.example.com/?token={token}")},
            })
        };
        let entries = [
            entry(
                &format!("https://api.example.com/auth/refresh?code={code}"),
                401,
                json!({"error": "invalid_grant", "message": format!("{refresh} of {mail}")})
                    .to_string(),
            ),
            entry(
                &format!("https://ann:{password}@api.example.com/items?access_token={token}"),
                403,
                format!("no right for {mail} with {token}"),
            ),
        ];
        json!({"log": {"version": "1.2", "creator": {"name": "test", "version": "1"}, "entries": entries}}).to_string()
    }

    fn write(&self, place: &Place, mint: &Mint, api: &str) {
        let Self {
            token,
            old,
            opaque,
            refresh,
            secret,
            password,
            sentence,
            client_secret,
            cookie,
            mail,
            api_key,
            aws_id,
            aws_key,
            code,
            ..
        } = self;
        let files = [
            ("token.txt", token.clone()),
            ("old.txt", format!("\"{old}\"\n")),
            ("other.txt", opaque.clone()),
            ("jwks.json", mint.jwks().to_string()),
            ("hs.secret", secret.clone()),
            ("headers.txt", format!("Cookie: session={cookie}; mail={mail}\nX-Api-Key: {api_key}\n")),
            ("refresh.json", json!({"url": format!("{api}/auth/refresh"), "json": {"refresh_token": refresh, "password": password}, "token_field": "refresh_token"}).to_string()),
            ("introspection.json", json!({"url": format!("{api}/introspect"), "client_id": "app", "client_secret": client_secret}).to_string()),
            ("auth/.env", format!("JWT_SECRET={secret}\nJWT_ISSUER={api}\nDATABASE_URL=postgres://app:{password}@db:5432/app\nREDIS_URL=redis://:{password}@redis:6379/0\nAWS_ACCESS_KEY_ID={aws_id}\nAWS_SECRET_ACCESS_KEY={aws_key}\nADMIN_EMAIL={mail}\nADMIN_PASSWORD=\"{sentence}\"\n")),
            ("api/config.yaml", format!("auth:\n  jwt_signing_key: {client_secret}\n  issuer: http://ann:{password}@{}/\n  session_store: redis://:{password}@redis/0\n  audience: {api_key}\nsmtp: {{user: '{mail}', password: '{sentence}'}}\n", api.trim_start_matches("http://"))),
            ("api/nginx.conf", format!("set $jwt_secret \"{secret}\";\nset $jwt_issuer {api};\nproxy_set_header Authorization \"Bearer {token}\";\n")),
            ("aws/ssm/GetParameter.json", json!({"Parameter": {"Name": "/auth/jwt-secret", "Type": "SecureString", "Value": secret, "Version": 3}}).to_string()),
            ("aws/lambda/GetFunctionConfiguration.json", json!({"FunctionName": "api", "Environment": {"Variables": {"JWT_SECRET": client_secret, "JWT_ISSUER": api, "ADMIN": mail}}}).to_string()),
            ("tenure.toml", format!("issuer = \"{api}\"\n[clients.app]\nfirst_party = true\nredirect_uris = [\"http://127.0.0.1/callback\"]\n")),
            ("app.log", self.log()),
            ("second.log", format!("{}\nsession_cleared {{\"reason\":\"{mail}\"}}\nmagic link https://app.example.com/magic?token={opaque} code={code}\n", self.log().replace("\"pid\":1", "\"pid\":2"))),
            ("traffic.har", self.traffic()),
            ("access.log", format!("{{\"requestId\":\"c6af9ac6-7b61-11e6-9a41-93e8deadbeef\",\"ip\":\"192.0.2.4\",\"user\":\"{mail}\",\"httpMethod\":\"GET\",\"resourcePath\":\"/items\",\"status\":\"403\",\"authorizerError\":\"The token {token} is not good\"}}\n")),
            ("broken.json", format!("{{\"url\": \"{api}\", \"refresh_token\": \"{refresh}\" \"password\": \"{sentence}\"")),
            ("broken.yaml", format!("jwt_secret: [{secret}\n  password: \"{sentence}\n")),
            ("broken.toml", format!("issuer = {secret}\nclient_secret = {client_secret} {mail}\n")),
        ];
        for (name, text) in files {
            place.write(&format!("given/{name}"), text);
        }
    }
}

impl Planted {
    /// The same secrets for the same seed, but for what has the time in it.
    pub(super) async fn new(seed: u64) -> Self {
        let mint = Mint::pair("k1");
        let secrets = Secrets::new(seed, &mint);
        let needles = secrets.needles();
        let search = Search::new(needles.iter().copied()).unwrap();
        let labels = needles.iter().map(|(label, _)| *label).collect();
        let answers = secrets.told_by(mint.jwks().to_string());
        let api = Api::start(move |asked| answers.answer(asked)).await;
        let place = Place::new();
        secrets.write(&place, &mint, &api.at(""));
        let Secrets {
            token,
            secret,
            password,
            ..
        } = secrets;
        Self {
            seed,
            place,
            api,
            search,
            labels,
            token,
            secret,
            password,
        }
    }

    /// Arguments of each command that diagnoses.
    pub(super) fn commands(&self) -> Vec<Vec<String>> {
        let own = |args: &[&str]| -> Vec<String> { args.iter().map(ToString::to_string).collect() };
        let (url, base) = (self.api.at("/items"), self.api.at(""));
        let probe = [own(&["probe", &url]), self.probing()].concat();
        vec![
            own(&[
                "token",
                "--jwks",
                "given/jwks.json",
                "--secret-file",
                "given/hs.secret",
                "--issuer",
                &base,
            ]),
            own(&[
                "token",
                "--token-file",
                "given/old.txt",
                "--discovery",
                &base,
            ]),
            own(&[
                "token",
                "--token-env",
                "ACCESS_TOKEN",
                "--secret-env",
                "SHARED_SECRET",
            ]),
            own(&["token", "--token-file", "given/other.txt"]),
            own(&["token", "--token-file", "given/headers.txt"]),
            probe,
            [
                own(&["drift"]),
                Self::files(),
                own(&["--discovery", &base, "--token-file", "given/token.txt"]),
            ]
            .concat(),
            [own(&["logs"]), Self::logs()].concat(),
            own(&["config", &base, "--config", "given/tenure.toml"]),
            self.everything(),
        ]
    }

    /// All at once.
    pub(super) fn everything(&self) -> Vec<String> {
        let flag = |name: &str| vec![name.to_owned()];
        [
            flag("--url"),
            vec![self.api.at("/items")],
            self.probing(),
            flag("--keys"),
            vec!["given/jwks.json".to_owned(), "given/hs.secret".to_owned()],
            flag("--files"),
            Self::files(),
            flag("--logs"),
            Self::logs(),
        ]
        .concat()
    }

    fn probing(&self) -> Vec<String> {
        let (echo, other, base) = (self.api.at("/echo"), self.api.at("/me"), self.api.at(""));
        let args = [
            "--token-file",
            "given/token.txt",
            "--old-token-file",
            "given/old.txt",
            "--other-token-file",
            "given/other.txt",
            "--header-file",
            "given/headers.txt",
            "--burn-refresh",
            "given/refresh.json",
            "--introspection",
            "given/introspection.json",
            "--origin",
            "https://app.example.com",
            "--echo",
            &echo,
            "--other-endpoint",
            &other,
            "--issuer",
            &base,
            "--budget",
            "60",
        ];
        args.map(str::to_owned).to_vec()
    }

    fn files() -> Vec<String> {
        let names = [
            "auth/.env",
            "api/config.yaml",
            "api/nginx.conf",
            "aws/ssm/GetParameter.json",
            "aws/lambda/GetFunctionConfiguration.json",
        ];
        names.map(|name| format!("given/{name}")).to_vec()
    }

    fn logs() -> Vec<String> {
        let names = ["app.log", "second.log", "traffic.har", "access.log"];
        names.map(|name| format!("given/{name}")).to_vec()
    }
}

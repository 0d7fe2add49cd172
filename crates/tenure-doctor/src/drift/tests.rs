use super::*;

/// `about value name within holder effective line`.
fn shown(name: &str, text: &str) -> Vec<String> {
    let beliefs = read_file(name, text).unwrap();
    beliefs
        .iter()
        .map(|belief| {
            let line = match &belief.source {
                Source::File(_, line) => line.unwrap_or(0),
                _ => 0,
            };
            format!(
                "{:?} {} {} {} {:?} {:?} {line}",
                belief.about,
                belief.value,
                belief.name,
                belief.within.as_deref().unwrap_or("-"),
                belief.held_by,
                belief.effective
            )
        })
        .collect()
}

#[test]
fn env_files_are_read_as_shells_and_bundlers_read_them() {
    let text = "# auth\nexport DOMAIN=auth.example.com\nJWT_ISSUER=\"https://${DOMAIN}/\" # note\nEXPO_PUBLIC_CLIENT_ID='abc # no comment'\n\
        VITE_AUTHORITY=https://${NOWHERE:-id.example.com}\nAPI_AUDIENCE=https://${NOWHERE}\nMANY=\"a\nb\"\nCOGNITO_USER_POOL_ID=eu-west-1_AbC\n";
    assert_eq!(
        shown(".env", text),
        [
            "Issuer https://auth.example.com/ JWT_ISSUER - Unknown Restart 3",
            "Issuer https://id.example.com VITE_AUTHORITY - Client Build 5",
            "Audience https://${NOWHERE} API_AUDIENCE - Unknown Restart 6",
            "UserPool eu-west-1_AbC COGNITO_USER_POOL_ID - Unknown Restart 9",
        ]
    );
}

#[test]
fn a_secret_is_a_fingerprint_and_its_other_forms_too() {
    let secret = "correct-horse-battery-staple";
    let base64 = "Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5LXN0YXBsZQ==";
    let text = format!("JWT_SECRET=\"{secret}\\n\"\nJWT_SIGNING_KEY={base64}\nJWT_KEY={secret}\n");
    let beliefs = read_file("api/.env", &text).unwrap();
    let all = serde_json::to_string(&beliefs).unwrap();
    assert!(!all.contains("horse") && !all.contains("Y29y"), "{all}");
    let plain = crate::Fingerprint::of(secret).to_string();
    assert_eq!(beliefs[2].value, plain);
    assert_eq!(beliefs[0].forms["trimmed"], plain);
    assert_eq!(beliefs[1].forms["base64"], plain);
}

#[test]
fn addresses_lose_their_credentials() {
    assert_eq!(
        shown(
            "a.toml",
            "[session]\nredis_url = 'redis://me:hunter2@db:6379/1'\n"
        ),
        ["Store redis://db:6379/1 redis_url session Unknown Restart 2"]
    );
}

#[test]
fn spring_says_it_in_yaml_and_in_properties() {
    let yaml = "spring:\n  security:\n    oauth2:\n      resourceserver:\n        jwt:\n          issuer-uri: ${ISSUER:https://a.example/}\n          jwk-set-uri: https://a.example/jwks\n";
    let table = "spring.security.oauth2.resourceserver.jwt";
    assert_eq!(
        shown("application.yml", yaml),
        [
            format!("Issuer https://a.example/ issuer-uri {table} Verifier Restart 6"),
            format!("JwksUri https://a.example/jwks jwk-set-uri {table} Verifier Restart 7"),
        ]
    );
    let properties = "spring.security.oauth2.resourceserver.jwt.issuer-uri=https://a.example/\n";
    assert_eq!(
        shown("application.properties", properties),
        [
            "Issuer https://a.example/ spring.security.oauth2.resourceserver.jwt.issuer-uri - Unknown Restart 1",
        ]
    );
}

#[test]
fn envoys_providers_are_alternatives_of_one_verifier() {
    let text = "http_filters:\n- name: envoy.filters.http.jwt_authn\n  typed_config:\n    providers:\n      a:\n        issuer: https://a.example\n        audiences: [x, y]\n        remote_jwks:\n          http_uri:\n            uri: https://a.example/jwks\n      b:\n        issuer: https://b.example\n        local_jwks: {inline_string: '{}'}\n";
    let table = "http_filters.typed_config.providers";
    assert_eq!(
        shown("envoy.yaml", text),
        [
            format!("Issuer https://a.example issuer {table} Verifier Restart 6"),
            format!("Audience x audiences {table} Verifier Restart 7"),
            format!("Audience y audiences {table} Verifier Restart 7"),
            format!("JwksUri https://a.example/jwks uri {table} Verifier Restart 10"),
            format!("Issuer https://b.example issuer {table} Verifier Restart 12"),
        ]
    );
    assert_eq!(compare(&read_file("envoy.yaml", text).unwrap()), []);
}

#[test]
fn compose_kubernetes_kong_nginx_and_caddy_are_understood() {
    let compose = "services:\n  auth:\n    image: auth\n    environment:\n      - JWT_ISSUER=https://a\n  api:\n    image: api\n    environment:\n      JWT_ISSUER: https://b\n";
    assert_eq!(
        shown("compose.yaml", compose),
        [
            "Issuer https://a JWT_ISSUER auth Issuer Restart 5",
            "Issuer https://b JWT_ISSUER api Verifier Restart 9",
        ]
    );
    let kubernetes = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: api}\ndata:\n  application.yml: |\n    jwt:\n      issuer: https://a\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  containers:\n  - name: x\n    env:\n    - name: AUTH_DOMAIN\n      value: a.example\n    - name: JWT_SECRET\n      valueFrom: {secretKeyRef: {name: s, key: k}}\n";
    assert_eq!(
        shown("k8s.yaml", kubernetes),
        [
            "Issuer https://a issuer ConfigMap/api Verifier Restart 7",
            "Issuer a.example AUTH_DOMAIN Deployment/web Client Restart 17",
        ]
    );
    let kong = "consumers:\n- username: me\n  jwt_secrets:\n  - key: https://a\n    algorithm: HS256\n    secret: hush\n";
    let fingerprint = crate::Fingerprint::of("hush");
    assert_eq!(
        shown("kong.yml", kong),
        [
            "Issuer https://a key consumers.jwt_secrets Verifier Restart 4".to_owned(),
            "Algorithm HS256 algorithm consumers.jwt_secrets Verifier Restart 5".to_owned(),
            format!("Secret {fingerprint} secret consumers.jwt_secrets Verifier Restart 6"),
        ]
    );
    assert_eq!(
        shown(
            "nginx.conf",
            "server {\n  set $jwt_issuer \"https://a\";\n}\n"
        ),
        ["Issuer https://a jwt_issuer - Verifier Restart 2",]
    );
    assert_eq!(
        shown(
            "Caddyfile",
            "jwtauth {\n\tissuer_whitelist x\n\tjwks_url https://a/jwks\n}\n"
        ),
        ["JwksUri https://a/jwks jwks_url - Verifier Restart 3",]
    );
}

#[test]
fn a_kubernetes_secret_is_decoded_before_it_is_fingerprinted() {
    let text =
        "apiVersion: v1\nkind: Secret\nmetadata: {name: api}\ndata:\n  JWT_SECRET: aHVzaAo=\n";
    let beliefs = read_file("secret.yaml", text).unwrap();
    assert_eq!(
        beliefs[0].value,
        crate::Fingerprint::of("hush\n").to_string()
    );
    assert_eq!(
        beliefs[0].forms["trimmed"],
        crate::Fingerprint::of("hush").to_string()
    );
}

const TEMPLATE: &str = r"AWSTemplateFormatVersion: '2010-09-09'
Transform: AWS::Serverless-2016-10-31
Parameters:
  PoolId: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /auth/pool}
  Stage: {Type: String, Default: prod}
Resources:
  Pool: {Type: AWS::Cognito::UserPool}
  Api:
    Type: AWS::Serverless::Api
    Properties:
      Auth:
        Authorizers:
          Cognito:
            UserPoolArn: !GetAtt Pool.Arn
      DefinitionBody:
        securityDefinitions:
          pool:
            x-amazon-apigateway-authorizer:
              type: cognito_user_pools
              providerARNs:
              - Fn::Sub: 'arn:aws:cognito-idp:${AWS::Region}:${AWS::AccountId}:userpool/{{resolve:ssm:/auth/pool}}'
  Http:
    Type: AWS::ApiGatewayV2::Authorizer
    Properties:
      JwtConfiguration:
        Issuer: !Sub 'https://cognito-idp.${AWS::Region}.amazonaws.com/${PoolId}'
        Audience: [!Ref Client]
  Function:
    Type: AWS::Lambda::Function
    Properties:
      Environment:
        Variables:
          JWT_SECRET: '{{resolve:ssm-secure:/auth/secret:2}}'
          ISSUER: !Join ['', ['https://', !Ref Stage, '.example.com']]
";

#[test]
fn templates_are_read_with_their_functions() {
    assert_eq!(
        shown("template.yaml", TEMPLATE),
        [
            "UserPool ${Pool} UserPoolArn Api Template Deploy 14",
            "UserPool {{resolve:ssm:/auth/pool}} providerARNs Api Template Deploy 21",
            "Issuer https://cognito-idp.${AWS::Region}.amazonaws.com/{{resolve:ssm-parameter:/auth/pool}} Issuer Http Template Deploy 26",
            "Audience ${Client} Audience Http Template Deploy 27",
            "Secret {{resolve:ssm-secure:/auth/secret:2}} JWT_SECRET Function Template Deploy 33",
            "Issuer https://prod.example.com ISSUER Function Template Deploy 34",
        ]
    );
}

fn token(iss: &str, client: &str) -> Vec<Belief> {
    let say = |about, name: &str, value: &str| Belief {
        about,
        value: value.to_owned(),
        name: name.to_owned(),
        source: Source::Token,
        held_by: Holder::Token,
        effective: Effective::Now,
        within: None,
        forms: BTreeMap::new(),
        note: None,
    };
    vec![
        say(Subject::Issuer, "iss", iss),
        say(Subject::ClientId, "client_id", client),
    ]
}

/// `about nature left-names/right-names`.
fn disagreements(beliefs: &[Belief]) -> Vec<String> {
    let names = |side: &[Belief]| {
        side.iter()
            .map(|belief| belief.name.clone())
            .collect::<Vec<_>>()
            .join(",")
    };
    compare(beliefs)
        .iter()
        .map(|one| {
            format!(
                "{:?} {:?} {}/{}",
                one.about,
                one.nature,
                names(&one.left),
                names(&one.right)
            )
        })
        .collect()
}

fn files(files: &[(&str, &str)]) -> Vec<Belief> {
    files
        .iter()
        .flat_map(|(name, text)| read_file(name, text).unwrap())
        .collect()
}

#[test]
fn what_agrees_is_no_disagreement() {
    let mut beliefs = token("https://id.example.com/", "app");
    beliefs.extend(files(&[
        (
            ".env",
            "AUTH_DOMAIN=id.example.com\nEXPO_PUBLIC_CLIENT_ID=app\nJWT_SECRET=same\n",
        ),
        (
            "api/application.yml",
            "auth: {issuer: 'https://id.example.com/', jwks-uri: 'https://id.example.com/jwks'}\n",
        ),
        (
            ".env.example",
            "JWT_ISSUER=https://your-tenant.example\nJWT_SECRET=changeme\n",
        ),
        ("worker/.env", "JWT_SIGNING_KEY=same\nREDIS_URL=redis://a\n"),
    ]));
    let issuers: Vec<_> = disagreements(&beliefs)
        .into_iter()
        .filter(|one| !one.contains("issuer"))
        .collect();
    assert_eq!(issuers, Vec::<String>::new());
}

#[test]
fn nearly_equal_says_in_what() {
    for (other, nature) in [
        ("https://id.example.com", Some("TrailingSlash")),
        ("http://id.example.com/", Some("Scheme")),
        ("https://ID.example.com/", Some("Case")),
        ("https://id.example.org/", Some("Different")),
        ("https://id.example.com/", None),
    ] {
        let mut beliefs = token("https://id.example.com/", "app");
        beliefs.extend(files(&[("a.toml", &format!("issuer = '{other}'\n"))]));
        let expected: Vec<_> = nature
            .iter()
            .map(|nature| format!("Issuer {nature} iss/issuer"))
            .collect();
        assert_eq!(disagreements(&beliefs), expected);
    }
}

#[test]
fn one_secret_in_two_forms_is_told_from_two_secrets() {
    let same = "correct-horse-battery-staple";
    for (other, nature) in [
        ("\"correct-horse-battery-staple\\n\"", "Blanks"),
        ("Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5LXN0YXBsZQ==", "Base64"),
        ("something-else", "Different"),
    ] {
        let beliefs = files(&[
            ("auth/.env", &format!("JWT_SECRET={same}\n")),
            ("api/.env", &format!("JWT_SIGNING_KEY={other}\n")),
        ]);
        assert_eq!(
            disagreements(&beliefs),
            [format!("Secret {nature} JWT_SECRET/JWT_SIGNING_KEY")].map(|one| {
                if compare(&beliefs)[0].left[0].name == "JWT_SECRET" {
                    one
                } else {
                    format!("Secret {nature} JWT_SIGNING_KEY/JWT_SECRET")
                }
            })
        );
    }
    let apart = files(&[
        (".env.production", "JWT_SECRET=a\n"),
        (".env.development", "JWT_SECRET=b\n"),
    ]);
    assert_eq!(disagreements(&apart), Vec::<String>::new());
    let cookies = files(&[
        ("web/.env", "NEXTAUTH_SECRET=a\n"),
        ("api/.env", "JWT_SECRET=b\n"),
    ]);
    assert_eq!(disagreements(&cookies), Vec::<String>::new());
}

#[test]
fn a_moved_parameter_is_followed_and_told_from_what_is_deployed() {
    let pool = |id: &str| format!("arn:aws:cognito-idp:eu-west-1:1:userpool/{id}");
    let mut beliefs = files(&[
        ("template.yaml", TEMPLATE),
        (
            "aws/ssm/GetParameter-pool.json",
            r#"{"Parameter": {"Name": "/auth/pool", "Type": "String", "Value": "eu-west-1_New", "Version": 2}}"#,
        ),
        (
            "aws/apigateway/GetAuthorizers-api.json",
            &format!(
                r#"{{"items": [{{"name": "Cognito", "providerARNs": ["{}"]}}]}}"#,
                pool("eu-west-1_Old")
            ),
        ),
    ]);
    beliefs.extend(token(
        "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_New",
        "app",
    ));
    let mut found = compare(&beliefs);
    found.retain(|one| one.about == Subject::UserPool);
    assert_eq!(found.len(), 1, "{found:?}");
    let values = |side: &[Belief]| {
        side.iter()
            .map(|belief| (belief.value.clone(), belief.held_by))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        values(&found[0].right),
        [("eu-west-1_Old".to_owned(), Holder::Deployed)]
    );
    let holders: Vec<_> = found[0].left.iter().map(|belief| belief.held_by).collect();
    assert!(
        [Holder::Token, Holder::Template, Holder::Parameters]
            .iter()
            .all(|one| holders.contains(one)),
        "{holders:?}"
    );
    let pinned = found[0]
        .left
        .iter()
        .find(|belief| belief.name == "providerARNs")
        .unwrap();
    assert!(pinned.note.as_deref().unwrap().starts_with("not pinned"));
}

#[test]
fn a_token_without_an_audience_has_its_client_as_one() {
    let audience = r#"{"Items": [{"Name": "jwt", "JwtConfiguration": {"Audience": ["other"], "Issuer": "https://a"}}]}"#;
    let mut beliefs = files(&[("aws/apigatewayv2/GetAuthorizers.json", audience)]);
    beliefs.extend(token("https://a", "app"));
    assert_eq!(
        disagreements(&beliefs),
        ["Audience Different client_id/audience"]
    );
}

#[test]
fn keys_on_another_host_than_their_issuer_are_named() {
    let beliefs = files(&[(
        "api.toml",
        "issuer = 'https://a.example'\njwks_uri = 'https://b.example/jwks'\n",
    )]);
    assert_eq!(
        disagreements(&beliefs),
        ["JwksUri OtherHost issuer/jwks_uri"]
    );
    let google = files(&[(
        "google.yaml",
        "issuer: 'https://accounts.google.com'\njwks_uri: 'https://www.googleapis.com/oauth2/v3/certs'\n",
    )]);
    assert_eq!(disagreements(&google), Vec::<String>::new());
}

#[test]
fn what_aws_stores_encrypted_is_not_compared() {
    let stored = r#"{"Parameter": {"Name": "/api/JWT_SECRET", "Type": "SecureString", "Value": "AQICAHjx", "Version": 1}}"#;
    assert_eq!(read_file("aws/ssm/GetParameter.json", stored).unwrap(), []);
    assert!(read_file("aws/iam/GetUser.json", "{}").is_err());
    assert!(read_file("notes.txt", "issuer").is_err());
}

#[test]
fn a_directory_called_aws_may_hold_other_files() {
    for (name, text) in [
        ("infra/aws/template.yaml", "issuer: 'https://a.example'\n"),
        ("aws/prod/.env", "JWT_ISSUER=https://a.example\n"),
    ] {
        let issuers: Vec<_> = read_file(name, text).unwrap();
        assert_eq!(issuers.len(), 1, "{name}");
        assert_eq!(issuers[0].about, Subject::Issuer, "{name}");
    }
    assert!(read_file("aws/answer.json", "{}").is_err());
}

// An orders API with net/http and golang-jwt or go-oidc; OPTIONS (JSON in the environment) says what is wrong.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/golang-jwt/jwt/v5"
)

type options struct {
	Port     int               `json:"port"`
	Library  string            `json:"library"`
	Secret   string            `json:"secret"`
	Pems     map[string]string `json:"pems"`
	Methods  []string          `json:"methods"`
	Audience string            `json:"audience"`
	Issuer   string            `json:"issuer"`
	Jwks     string            `json:"jwks"`
	Leeway   int               `json:"leeway"`
	Quiet    bool              `json:"quiet"`
	Role     string            `json:"role"`
	Public   bool              `json:"public"`
}

var o options

func keyfunc(token *jwt.Token) (any, error) {
	if o.Secret != "" {
		return []byte(o.Secret), nil
	}
	kid, _ := token.Header["kid"].(string)
	pem, known := o.Pems[kid]
	if !known {
		return nil, fmt.Errorf("unknown key id %q", kid)
	}
	return jwt.ParseRSAPublicKeyFromPEM([]byte(pem))
}

func verifier() func(string) (map[string]any, error) {
	if o.Library == "oidc" {
		set := oidc.NewRemoteKeySet(context.Background(), o.Jwks)
		check := oidc.NewVerifier(o.Issuer, set, &oidc.Config{ClientID: o.Audience, SupportedSigningAlgs: o.Methods})
		return func(token string) (map[string]any, error) {
			claims := map[string]any{}
			found, err := check.Verify(context.Background(), token)
			if err == nil {
				err = found.Claims(&claims)
			}
			return claims, err
		}
	}
	rules := []jwt.ParserOption{jwt.WithValidMethods(o.Methods), jwt.WithLeeway(time.Duration(o.Leeway) * time.Second), jwt.WithIssuedAt()}
	if o.Audience != "" {
		rules = append(rules, jwt.WithAudience(o.Audience))
	}
	if o.Issuer != "" {
		rules = append(rules, jwt.WithIssuer(o.Issuer))
	}
	parser := jwt.NewParser(rules...)
	return func(token string) (map[string]any, error) {
		claims := jwt.MapClaims{}
		_, err := parser.ParseWithClaims(token, claims, keyfunc)
		return claims, err
	}
}

func main() {
	if err := json.Unmarshal([]byte(os.Getenv("OPTIONS")), &o); err != nil {
		log.Fatal(err)
	}
	log.SetOutput(os.Stdout)
	verify := verifier()
	refuse := func(w http.ResponseWriter, err error) {
		text := err.Error()
		if o.Quiet {
			text = "unauthorized"
		}
		w.Header().Set("WWW-Authenticate", "Bearer")
		http.Error(w, text, http.StatusUnauthorized)
	}
	http.HandleFunc("/health", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	http.HandleFunc("/api/", func(w http.ResponseWriter, r *http.Request) {
		from := r.Header.Get("X-Forwarded-For")
		scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		if !strings.EqualFold(scheme, "bearer") {
			log.Printf("level=info ip=%s method=%s path=%s status=401 err=%q", from, r.Method, r.URL.Path, "missing bearer token")
			refuse(w, errors.New("missing bearer token"))
			return
		}
		claims, err := verify(token)
		if err != nil {
			log.Printf("level=warn ip=%s method=%s path=%s status=401 err=%q", from, r.Method, r.URL.Path, err.Error())
			refuse(w, err)
			return
		}
		if strings.HasPrefix(r.URL.Path, "/api/admin") && !has(claims["groups"], o.Role) {
			log.Printf("level=warn ip=%s method=%s path=%s status=403 sub=%v err=%q", from, r.Method, r.URL.Path, claims["sub"], "role "+o.Role+" required")
			http.Error(w, "forbidden: role "+o.Role+" required", http.StatusForbidden)
			return
		}
		log.Printf("level=info ip=%s method=%s path=%s status=200 sub=%v", from, r.Method, r.URL.Path, claims["sub"])
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(map[string]any{"orders": []int{17}, "user": claims["sub"]})
	})
	log.Printf("level=info msg=%q", fmt.Sprintf("listening on :%d", o.Port))
	log.Fatal(http.ListenAndServe(fmt.Sprintf("127.0.0.1:%d", o.Port), nil))
}

func has(list any, wanted string) bool {
	all, _ := list.([]any)
	for _, one := range all {
		if one == wanted {
			return true
		}
	}
	return false
}

package aiutatest_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"example.com/routeauth/aiuta/aiutatest"
	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// signWith returns a token that is good but for its issuer and secret.
func signWith(t *testing.T, issuer, secret string) string {
	t.Helper()
	return sign(t, jwt.SigningMethodHS256, []byte(secret), claims(jwt.MapClaims{"iss": issuer}))
}

// signRaw returns a token whose header and payload are as they are given,
// signed as HS256 is whatever the header says.
func signRaw(t *testing.T, header, payload string) string {
	t.Helper()
	text := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(payload))
	signature, err := jwt.SigningMethodHS256.Sign(text, []byte(aiutatest.JWTSecret))
	require.NoError(t, err)
	return text + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func TestATokenThatIsNotValidIsRejected(t *testing.T) {
	const hs256 = `{"alg": "HS256", "typ": "JWT"}`
	secret := []byte(aiutatest.JWTSecret)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	past, future := time.Now().Add(-time.Second).Unix(), time.Now().Add(time.Minute).Unix()
	good := token(t, nil)
	parts := strings.Split(good, ".")

	const notSigned = "it is not signed with HS256 and this server's secret"
	for name, test := range map[string]struct {
		token  string
		detail string
	}{
		"alg none":                      {sign(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, claims(nil)), notSigned},
		"alg none with a signature":     {signRaw(t, `{"alg": "none"}`, fmt.Sprintf(`{"iss": %q, "exp": %d}`, aiutatest.JWTIssuer, future)), notSigned},
		"alg HS384":                     {sign(t, jwt.SigningMethodHS384, secret, claims(nil)), notSigned},
		"alg HS512":                     {sign(t, jwt.SigningMethodHS512, secret, claims(nil)), notSigned},
		"alg RS256 with a key pair":     {sign(t, jwt.SigningMethodRS256, rsaKey, claims(nil)), notSigned},
		"alg RS256 over an HMAC":        {signRaw(t, `{"alg": "RS256"}`, fmt.Sprintf(`{"iss": %q, "exp": %d}`, aiutatest.JWTIssuer, future)), notSigned},
		"alg in another case":           {signRaw(t, `{"alg": "hs256"}`, fmt.Sprintf(`{"iss": %q, "exp": %d}`, aiutatest.JWTIssuer, future)), "its alg is not HS256"},
		"alg missing":                   {signRaw(t, `{}`, fmt.Sprintf(`{"iss": %q, "exp": %d}`, aiutatest.JWTIssuer, future)), "its alg is not HS256"},
		"a wrong secret":                {sign(t, jwt.SigningMethodHS256, []byte("wrong"), claims(nil)), notSigned},
		"an empty secret":               {sign(t, jwt.SigningMethodHS256, []byte{}, claims(nil)), notSigned},
		"no signature":                  {parts[0] + "." + parts[1] + ".", notSigned},
		"a changed payload":             {parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(`{}`)) + "." + parts[2], notSigned},
		"two parts":                     {parts[0] + "." + parts[1], "it is not a JWT"},
		"four parts":                    {good + ".", "it is not a JWT"},
		"a payload that is no JSON":     {signRaw(t, hs256, `{`), "it is not a JWT"},
		"a payload that is no object":   {signRaw(t, hs256, `[]`), "it is not a JWT"},
		"another iss":                   {token(t, jwt.MapClaims{"iss": "another"}), "its iss is not this server's"},
		"no iss":                        {token(t, jwt.MapClaims{"iss": nil}), "it has no iss"},
		"iss in another case":           {token(t, jwt.MapClaims{"iss": nil, "ISS": aiutatest.JWTIssuer}), "it has no iss"},
		"no exp":                        {token(t, jwt.MapClaims{"exp": nil}), "it has no exp"},
		"exp in another case":           {token(t, jwt.MapClaims{"exp": nil, "EXP": future}), "it has no exp"},
		"an exp of 0":                   {token(t, jwt.MapClaims{"exp": 0}), "it has no exp"},
		"an exp that is a string":       {token(t, jwt.MapClaims{"exp": fmt.Sprint(future)}), "a registered claim is of the wrong type"},
		"an iss that is a number":       {token(t, jwt.MapClaims{"iss": 5}), "a registered claim is of the wrong type"},
		"expired":                       {token(t, jwt.MapClaims{"exp": past}), "it has expired"},
		"nbf in the future":             {token(t, jwt.MapClaims{"nbf": future}), "its nbf is in the future"},
		"expired and of another issuer": {token(t, jwt.MapClaims{"exp": past, "iss": "x"}), "it has expired, and its iss is not this server's"},
		"neither iss nor exp":           {token(t, jwt.MapClaims{"exp": nil, "iss": nil}), "it has no exp, and it has no iss"},
	} {
		t.Run(name, func(t *testing.T) {
			server := newServer(t, aiutatest.Config{})
			a := send(t, server, "GET", server.UnifiedURL()+"/sku_items", bearer(test.token), "")
			assert.Equal(t, http.StatusUnauthorized, a.status)
			assert.Equal(t, map[string]any{"detail": "the token is not valid: " + test.detail}, a.decoded(t))
			assert.Equal(t, `Bearer realm="aiuta", error="invalid_token"`, a.header.Get("WWW-Authenticate"))
		})
	}
}

func TestATokenOfRegisteredClaimsAloneIsGoodForEveryRequest(t *testing.T) {
	server := newServer(t, aiutatest.Config{})
	now := time.Now().Unix()
	all := token(t, jwt.MapClaims{"sub": "user", "aud": "api", "nbf": now - 1, "jti": "1"})
	assert.Equal(t, http.StatusOK, send(t, server, "GET", server.UnifiedURL()+"/sku_items", bearer(all), "").status)
	assert.Equal(t, http.StatusOK, startWith(t, server, all, tryOnBody).status)
	assert.Equal(t, 1, server.Generations())
}

const tryOnBody = `{"uploaded_image_id": "model_image-1", "sku_ids": ["a", "b"], "enhanced_quality": true, "model_type": null}`

// startWith starts a try-on with a token.
func startWith(t *testing.T, server *aiutatest.Server, token, body string) answer {
	t.Helper()
	return send(t, server, "POST", server.DigitalTryOnURL()+"/sku_images_operations", bearer(token), body)
}

func TestATokenIsGoodOnlyForABodyThatHasItsParams(t *testing.T) {
	const noObject = "the token is bound to params, and the body is no JSON object that has each of them once"
	lacks := func(name string) string { return `the token is bound to "` + name + `", which the body does not have` }
	differs := func(name string) string {
		return `the token is bound to another value of "` + name + `" than the body has`
	}
	for name, test := range map[string]struct {
		params jwt.MapClaims
		body   string
		detail string // empty where the token is accepted
	}{
		"a body as large as is allowed": {jwt.MapClaims{"sku_ids": "a,b"}, strings.Repeat(" ", 1<<20-len(tryOnBody)) + tryOnBody, ""},
		"a string":                      {jwt.MapClaims{"uploaded_image_id": "model_image-1"}, tryOnBody, ""},
		"a list joined by commas":       {jwt.MapClaims{"sku_ids": "a,b"}, tryOnBody, ""},
		"a list as a list":              {jwt.MapClaims{"sku_ids": []string{"a", "b"}}, tryOnBody, ""},
		"JSON text":                     {jwt.MapClaims{"enhanced_quality": "true"}, tryOnBody, ""},
		"JSON":                          {jwt.MapClaims{"enhanced_quality": true}, tryOnBody, ""},
		"several":                       {jwt.MapClaims{"uploaded_image_id": "model_image-1", "sku_ids": "a,b"}, tryOnBody, ""},
		"another string":                {jwt.MapClaims{"uploaded_image_id": "model_image-2"}, tryOnBody, differs("uploaded_image_id")},
		"the start of a string":         {jwt.MapClaims{"uploaded_image_id": "model_image"}, tryOnBody, differs("uploaded_image_id")},
		"an empty string":               {jwt.MapClaims{"uploaded_image_id": ""}, tryOnBody, differs("uploaded_image_id")},
		"a list in another order":       {jwt.MapClaims{"sku_ids": "b,a"}, tryOnBody, differs("sku_ids")},
		"a part of a list":              {jwt.MapClaims{"sku_ids": "a"}, tryOnBody, differs("sku_ids")},
		"one of two differs":            {jwt.MapClaims{"uploaded_image_id": "model_image-1", "sku_ids": "a"}, tryOnBody, differs("sku_ids")},
		"a field that the body lacks":   {jwt.MapClaims{"sku_id": "a"}, tryOnBody, lacks("sku_id")},
		"a field of no body":            {jwt.MapClaims{"product_id": "a"}, tryOnBody, lacks("product_id")},
		"a field that is null":          {jwt.MapClaims{"model_type": "null"}, tryOnBody, lacks("model_type")},
		"a field in another case":       {jwt.MapClaims{"SKU_IDS": "a,b"}, tryOnBody, lacks("SKU_IDS")},
		"an empty claim and no field":   {jwt.MapClaims{"sku_id": ""}, tryOnBody, lacks("sku_id")},
		"an empty body":                 {jwt.MapClaims{"sku_id": "a"}, "", lacks("sku_id")},
		"a body that is no object":      {jwt.MapClaims{"sku_id": "a"}, `["sku_id"]`, noObject},
		"a body with the field twice":   {jwt.MapClaims{"sku_id": "a"}, `{"sku_id": "a", "sku_id": "b"}`, noObject},
		"a body larger than is allowed": {jwt.MapClaims{"sku_id": "a"}, `{"sku_id": "a", "x": "` + strings.Repeat("x", 1<<20) + `"}`, noObject},
	} {
		t.Run(name, func(t *testing.T) {
			server := newServer(t, aiutatest.Config{})
			a := startWith(t, server, token(t, test.params), test.body)
			if test.detail == "" {
				assert.Equal(t, http.StatusOK, a.status, a.body)
				assert.Equal(t, 1, server.Generations())
				return
			}
			assert.Equal(t, http.StatusUnauthorized, a.status)
			assert.Equal(t, map[string]any{"detail": test.detail}, a.decoded(t))
			assert.Equal(t, `Bearer realm="aiuta", error="invalid_token"`, a.header.Get("WWW-Authenticate"))
			assert.Zero(t, server.Generations())
		})
	}
}

func TestATokenThatHasAClaimTwiceIsRejected(t *testing.T) {
	server := newServer(t, aiutatest.Config{})
	payload := fmt.Sprintf(`{"iss": %q, "exp": %d, "sku_id": "a", "sku_id": "b"}`, aiutatest.JWTIssuer, time.Now().Add(time.Minute).Unix())
	a := startWith(t, server, signRaw(t, `{"alg": "HS256"}`, payload), `{"sku_id": "b"}`)
	assert.Equal(t, http.StatusUnauthorized, a.status)
	assert.JSONEq(t, `{"detail": "the token has a claim twice"}`, a.body)
}

func TestABoundTokenDoesNotFitAnUpload(t *testing.T) {
	server := newServer(t, aiutatest.Config{})
	body, formType := form(t, "image_data", "me.jpg", "", strings.Repeat("x", 2<<20))
	url := server.DigitalTryOnURL() + "/uploaded_images"
	a := send(t, server, "POST", url, append(bearer(token(t, jwt.MapClaims{"sku_id": "a"})), "Content-Type", formType), body)
	assert.Equal(t, http.StatusUnauthorized, a.status)
	a = send(t, server, "POST", url, append(bearer(token(t, nil)), "Content-Type", formType), body)
	assert.Equal(t, http.StatusOK, a.status)
}

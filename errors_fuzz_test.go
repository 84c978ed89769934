package routeauth_test

import (
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"example.com/routeauth"
)

// FuzzUnauthorized sends a credential to a server that answers 401 and echoes
// it: in the body and in a header field, at each @, in one of the forms that the
// other tests know. Rules 6, 25 and 26.
func FuzzUnauthorized(f *testing.F) {
	forms := slices.Sorted(maps.Keys(echoForms))
	for i, key := range awkwardKeys {
		for form := i % 3; form < len(forms); form += 3 { // each with some of the keys
			f.Add(`{"detail": "You sent @."}`, "X-@", "id-@", key, uint8(form), uint16(0), i%2 == 0)
		}
		f.Add(strings.Repeat(".", 4090)+"@", "X-Request-Id", "@", key, uint8(0), uint16(4095), true)
		f.Add("", "Www-Authenticate", `Bearer error="invalid_token", error_description="@"`, key, uint8(i), uint16(0), true)
		f.Add(`{"message": "@\n@"}`, "@", `Bearer error="@"`, key, uint8(1), uint16(1), false)
		f.Add(`{"error": "\u0000@", "error_description": "%@\\@"}`, "", "", "correct horse "+key, uint8(2), uint16(3), false)
	}
	f.Add("\xff@\xfe", "\xff", "\u202e@", "schlüssel\xff", uint8(3), uint16(7), false)

	f.Fuzz(func(t *testing.T, body, name, value, credential string, form uint8, atOnce uint16, bare bool) {
		if !bare {
			credential = "Token " + credential
		}
		if len(credential) == 0 || len(credential) > 2048 || len(body) > 1<<16 {
			return // longer ones take the time of many others
		}
		echo := echoForms[forms[int(form)%len(forms)]](credential)
		fill := func(text string) string { return strings.ReplaceAll(text, "@", echo) }
		e, ok := fuzzedRejection(credential, func(resp *http.Response) {
			resp.Header[fill(name)] = []string{fill(value)}
			resp.Header["X-Request-Id"] = append(resp.Header["X-Request-Id"], fill(value))
			resp.Body = io.NopCloser(inPieces(strings.NewReader(fill(body)), int(atOnce)))
		})
		if !ok {
			return // no field value
		}
		if len(e.Body) > 4<<10 || len(e.Detail) > 4<<10 {
			t.Errorf("%d bytes of the body and %d of detail", len(e.Body), len(e.Detail))
		}
		if !utf8.ValidString(e.Detail) {
			t.Errorf("detail %q is not UTF-8", e.Detail)
		}
		assertOnePrintableLine(t, e.Detail)
		assertOnePrintableLine(t, e.Error())

		plain, _ := fuzzedRejection(credential, nil)
		secrets := []string{credential}
		if !bare {
			secrets = append(secrets, strings.TrimSpace(strings.TrimPrefix(credential, "Token ")))
		}
		for _, secret := range secrets {
			switch {
			case len(secret) < 6: // may be chance
			case strings.ContainsAny(secret, "REDACT"): // REDACTED beside a part of it may look like it
			case strings.Contains(plain.Error(), secret), strings.Contains("x-request-id", strings.ToLower(secret)):
			default:
				checkHidden(t, e, secret)
			}
		}
	})
}

// fuzzedRejection returns the error of a request with this field value, if it is
// one.
func fuzzedRejection(value string, change func(resp *http.Response)) (*routeauth.UnauthorizedError, bool) {
	transport, err := routeauth.NewHeaderTransport("fuzzed", "X-Fuzzed", routeauth.Secret(value), denying(change))
	if err != nil {
		return nil, false
	}
	req, _ := http.NewRequest("GET", errorsURL, nil)
	_, err = transport.RoundTrip(req)
	var e *routeauth.UnauthorizedError
	return e, errors.As(err, &e)
}

func checkHidden(t *testing.T, e *routeauth.UnauthorizedError, secret string) {
	t.Helper()
	places := map[string]string{
		"Error()": e.Error(), "URL": e.URL, "Detail": e.Detail, "RequestID": e.RequestID, "Body": string(e.Body),
	}
	for name, values := range e.Header {
		if strings.Contains(strings.ToLower(name), strings.ToLower(secret)) {
			t.Errorf("%q is in the name %q", secret, name)
		}
		places["Header "+name] = strings.Join(values, "\n")
	}
	for place, text := range places {
		forms := map[string]string{"as it is": text}
		if isASCII(secret) { // beyond it, what no reader can decode becomes U+FFFD
			forms = unescapings(text)
		}
		for form, text := range forms {
			if strings.Contains(text, secret) {
				t.Errorf("%q is in %s, %s: %q", secret, place, form, text)
			}
		}
	}
}

func isASCII(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
}

// inPieces returns a reader that reads at most n bytes at once, or for 0 as many
// as it is asked for.
func inPieces(r io.Reader, n int) io.Reader {
	return readFunc(func(p []byte) (int, error) {
		if n > 0 {
			p = p[:min(len(p), n)]
		}
		return r.Read(p)
	})
}

// Package aiutatest is an Aiuta API in the process of a test or an example, in
// the manner of [net/http/httptest]:
//
//	api := aiutatest.NewServer(aiutatest.Config{})
//	defer api.Close()
//	policy, err := routeauth.NewPolicy(api.DigitalTryOnURL(), aiuta.DigitalTryOnRoutes())
//
// One server holds all three APIs, and a storage for their images beside them,
// which takes no credential. Image IDs are good at all three; an operation is
// known only where it was started.
//
// # Credentials
//
// Each operation of package aiuta's tables demands what the table says, and a
// path without a row is mandatory:
//
//   - mandatory: Authorization: Bearer with a JWT, or x-api-key;
//   - optional: one of these, or x-user-id with a subscription ID.
//
// That holds for the Studio and Unified APIs too. Their OpenAPI files know the
// API key alone, but the documentation gives one rule for all requests, and
// Aiuta's web SDK sends tokens and subscription IDs to the Unified API.
//
// A request is judged by one credential: Authorization if it is there, else
// x-api-key, else x-user-id. The others are ignored, since the Android SDK adds
// x-user-id to every request. If the field that counts comes twice, the request
// is refused.
//
// A JWT is good if it is signed with HS256 and the secret, its iss is the
// configured one, its exp is there and not past, its nbf is not in the future,
// and every other claim that is not a registered one (RFC 7519, section 4.1)
// equals the field of that name in the JSON body. Both are compared as params,
// as [routeauth.BodyParams] makes them, so that the claim "a,b" fits the list
// ["a","b"]. A request without such a body has no fields.
//
// Anything else is answered with 401, {"detail": "…"}, which names what was
// wrong and never holds the credential, and a WWW-Authenticate challenge (RFC
// 6750, section 3). A 401 comes before anything else is looked at, and nothing
// was done.
//
// # Answers
//
// Answers have the fields of the OpenAPI files, as few as these demand. Two
// endpoints that the files do not have are shaped by what the SDKs read:
// /subscription_details and /try_on_models. Generations take no time but a few
// status calls, see [Config]. A try-on draws a garment over the picture that was
// uploaded, in a colour of its SKUs' own; other images show a model. Every answer
// has an x-cloud-trace-context of its own, as the API's gateway gives it.
//
// Errors are {"detail": "…"}, or {"detail": [{"loc": …, "msg": …, "type": …}]}
// with 422, where the body, the form or the query is not what it should be. The
// Unified API says {"code": …, "message": …, "details": …} instead, other than
// with 401 and 422.
//
// Where the API is not specified, this server decides for the client's mistake
// to be seen: a generation of an image that was not uploaded is a 404.
package aiutatest

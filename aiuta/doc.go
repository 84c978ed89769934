// Package aiuta says where the Aiuta APIs are and which of their endpoints
// demand a credential, in the terms of [routeauth.NewPolicy]:
//
//	policy, err := routeauth.NewPolicy(aiuta.DigitalTryOnURL, aiuta.DigitalTryOnRoutes())
//
// Aiuta's documentation asks for a credential to start a generation and leaves
// it optional for trivial calls, such as reading an operation's status. The
// tables follow this rule: an operation is optional where the documentation or
// one of Aiuta's SDKs sends it with a subscription ID (x-user-id), and
// mandatory everywhere else. What a table does not list is mandatory too, as
// [routeauth.Routes] says, so that an endpoint that is new to the API gets the
// stronger credential.
//
// The package aiutatest, below this one, is such an API for tests.
package aiuta

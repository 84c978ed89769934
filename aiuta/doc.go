// Package aiuta says where the Aiuta APIs are and which of their endpoints
// demand a credential, in the terms of [routeauth.NewPolicy]:
//
//	policy, err := routeauth.NewPolicy(aiuta.DigitalTryOnURL, aiuta.DigitalTryOnRoutes())
//
// By Aiuta's documentation only a call that starts a generation needs a secret.
// A row of the tables is optional if the documentation, or an SDK of Aiuta's,
// makes the call with no more than a subscription ID (x-user-id). All others are
// mandatory. What a table does not list is mandatory too, as [routeauth.Routes]
// says, so that an endpoint that is new to the API gets the stronger credential.
//
// The package aiutatest, below this one, is such an API for tests.
package aiuta

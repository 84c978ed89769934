// Package tryonapi is a client of a small try-on API, generated from
// openapi.yaml. It stands for the API clients that people generate, and knows
// nothing of credentials.
package tryonapi

//go:generate go tool oapi-codegen -generate types,client -package tryonapi -o client.gen.go openapi.yaml

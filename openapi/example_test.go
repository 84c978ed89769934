package openapi_test

import (
	"fmt"
	"log"

	"example.com/routeauth"
	"example.com/routeauth/openapi"
)

const petstore = `
openapi: 3.1.0
servers:
  - url: https://{region}.petstore.example.com/v1
    variables: {region: {default: eu}}
security:
  - api_key: []
components:
  securitySchemes:
    api_key: {type: apiKey, in: header, name: X-Api-Key}
    visitor: {type: apiKey, in: header, name: X-Visitor}
paths:
  /health:
    get:
      security: []
  /pets/:
    get:
      security: [{}, {api_key: []}]
    post: {}
  /pets/{id}.json:
    get:
      security: [{visitor: []}, {api_key: []}]
`

// A policy for an API that has an OpenAPI document.
func Example() {
	document, err := openapi.Load([]byte(petstore))
	if err != nil {
		log.Fatal(err)
	}
	routes, err := document.Routes(openapi.WithOptionalScheme("visitor"))
	if err != nil {
		log.Fatal(err) // names every operation that has no route
	}
	policy, err := routeauth.NewPolicy(document.BaseURLs()[0], routes)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(policy)
	// Output:
	// https://eu.petstore.example.com/v1
	//   public     GET /health
	//   optional   GET /pets/{$}
	//   optional   GET /pets/{id}.json
	//   mandatory  POST /pets/{$}
}

// What became of each operation, and why.
func ExampleDocument_Operations() {
	document, err := openapi.Load([]byte(petstore + `
  /pets?status={status}:
    get: {}
`))
	if err != nil {
		log.Fatal(err)
	}
	for _, op := range document.Operations() {
		if op.Pattern == "" {
			fmt.Printf("%s %s has no route: %s\n", op.Method, op.Path, op.Why)
			continue
		}
		fmt.Printf("%s is %s: %s\n", op.Pattern, op.Requirement, op.Why)
	}
	_, err = document.Routes()
	fmt.Println(err)
	// Output:
	// GET /health is public: its security is empty
	// GET /pets/{$} is optional: its security has {}, no credential, among the alternatives
	// POST /pets/{$} is mandatory: the document's security asks for api_key
	// GET /pets/{id}.json is mandatory: its security asks for visitor or api_key
	// GET /pets?status={status} has no route: its path has a query, which no pattern can say: make it part of /pets
	// openapi: GET /pets?status={status}: its path has a query, which no pattern can say: make it part of /pets
}

// An extension of an operation wins over its security, for what a document does
// not say.
func ExampleDocument_Routes() {
	document, err := openapi.Load([]byte(`{
		"swagger": "2.0",
		"security": [{"api_key": []}],
		"paths": {
			"/operations": {"post": {}},
			"/operations/{id}": {"get": {"x-routeauth": "optional"}}
		}
	}`))
	if err != nil {
		log.Fatal(err)
	}
	routes, err := document.Routes()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(routes)
	// Output: map[GET /operations/{id}:optional POST /operations:mandatory]
}

// An identifier that ships inside apps is the weaker credential.
func ExampleWithOptionalScheme() {
	document, err := openapi.Load([]byte(petstore))
	if err != nil {
		log.Fatal(err)
	}
	strict, err := document.Routes()
	if err != nil {
		log.Fatal(err)
	}
	routes, err := document.Routes(openapi.WithOptionalScheme("visitor"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(strict["GET /pets/{id}.json"], routes["GET /pets/{id}.json"])
	// Output: mandatory optional
}

// Of Swagger's schemes https comes first.
func ExampleDocument_BaseURLs() {
	document, err := openapi.Load([]byte(`
swagger: "2.0"
host: petstore.example.com
basePath: /v1
schemes: [http, https]
`))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(document.BaseURLs())
	// Output: [https://petstore.example.com/v1 http://petstore.example.com/v1]
}

// What is no document is an error that says why.
func ExampleLoad() {
	_, err := openapi.Load([]byte("swagger: '1.2'"))
	fmt.Println(err)
	// Output: openapi: the document is Swagger "1.2": only 2.0 and OpenAPI 3.0, 3.1 and 3.2 can be read
}

// Package openapi makes a table of routes for [routeauth.NewPolicy] out of an
// OpenAPI document: which operations require a credential, which take a weaker
// one, and which take none.
//
//	document, err := openapi.Load(data)
//	...
//	routes, err := document.Routes()
//	...
//	policy, err := routeauth.NewPolicy(document.BaseURLs()[0], routes)
//
// Documents are OpenAPI 3.0, 3.1 and 3.2, and Swagger 2.0, as JSON or YAML.
// Nothing is ever fetched. Most programs need the table once, as Go code: the
// command cmd/routes writes it, and checks that it is still what the document
// says.
//
// # Requirements
//
// An operation's requirement follows from its security, or from the document's
// where it has none of its own:
//
//   - [routeauth.Public] where that is empty ("security: []"), or where neither
//     has any.
//   - [routeauth.Optional] where an alternative asks for nothing ("{}"), or only
//     for schemes that are named with [WithOptionalScheme].
//   - [routeauth.Mandatory] everywhere else, also where the security cannot be
//     read, such as one that is null or a reference.
//
// Documents often say less than an API does. An operation's extension
// x-routeauth, one of mandatory, optional and public, wins over its security. That
// of a path item is for its operations without one of their own. Capitals make no
// difference in its name, but in its value.
//
// Path items and operations may be references within the document. What is beside
// an operation's reference wins over what it leads to. Nothing is public because it
// is not understood: a reference to a file, an operation that is null, and a field
// of a path item that is none of OpenAPI's, such as purge, are listed by
// [Document.Operations] and an error of [Document.Routes].
//
// # Patterns
//
// A path becomes a pattern that matches the same requests. Its templates become
// wildcards, and a last slash becomes {$}, because in a pattern it would stand
// for everything below. A template with three dots, such as {path...}, which
// OpenAPI does not know, keeps the meaning that patterns give it: one or more
// segments. So do the forms that other languages of templates have for this:
// {+path}, {path*}, {*path}, {path+}, {path:path}, {path:.*}. A fragment is never
// sent, and left out.
//
// Operations that come to the same pattern, such as GET /users/{id} and GET
// /users/{name}, are one route, and the stricter requirement wins. What no
// pattern can say, such as a path with a query ("?" or {?limit}), is listed and an
// error, too.
//
// Webhooks and callbacks are requests that the API makes, so they are not among
// the operations.
//
// # How it reads
//
// The package reads paths, security and servers, and nothing else of a document,
// so that a mistake in a schema is no obstacle. JSON is parsed by encoding/json,
// YAML by go.yaml.in/yaml/v4.
package openapi

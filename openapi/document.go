package openapi

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Document is what an OpenAPI document says of an API's operations. It is
// immutable and safe for concurrent use. The zero value has no operations.
type Document struct {
	baseURLs   []string
	operations []operation     // sorted by path and method
	schemes    map[string]bool // that it declares or asks for
}

// Load reads a document: OpenAPI 3.0, 3.1 or 3.2, or Swagger 2.0, as JSON or
// YAML. It keeps nothing of data and fetches nothing: a path item or operation
// that is a reference to another file is listed by [Document.Operations] as one
// that cannot be read.
//
// The error says what is wrong with the document as a whole: data is neither
// JSON nor YAML, in which line, it is no such document, or its references and
// aliases come to far more than is written. What a document says wrongly about
// single operations is no error here but one of [Document.Routes].
func Load(data []byte) (*Document, error) {
	root, err := parse(data)
	if err == nil {
		err = checkDocument(root)
	}
	if err != nil {
		return nil, fmt.Errorf("openapi: %w", err)
	}
	r := newReader(root)
	operations := r.operations()
	slices.SortStableFunc(operations, func(a, b operation) int {
		return cmp.Or(cmp.Compare(a.path, b.path), cmp.Compare(a.method, b.method))
	})
	baseURLs := r.baseURLs(operations)
	if root.work.exceeded() {
		return nil, fmt.Errorf("openapi: %w", errTooMuch)
	}
	return &Document{baseURLs: baseURLs, operations: operations, schemes: r.schemes}, nil
}

var (
	openAPIVersion = regexp.MustCompile(`^3\.[012](\.|-|$)`)
	swaggerVersion = regexp.MustCompile(`^2(\.0)?$`)
)

// checkDocument says why a value is not a document that this package reads.
func checkDocument(root value) error {
	if root.kind() != object {
		return errors.New("the document is not an object")
	}
	fields := root.fields()
	switch openAPI, swagger := fields["openapi"].text(), fields["swagger"].text(); {
	case openAPI == "" && swagger == "":
		return errors.New("the document has neither a field openapi nor a field swagger that says its version")
	case openAPI != "" && !openAPIVersion.MatchString(openAPI):
		return fmt.Errorf("the document is OpenAPI %q: only 3.0, 3.1, 3.2 and Swagger 2.0 can be read", openAPI)
	case openAPI == "" && !swaggerVersion.MatchString(swagger):
		return fmt.Errorf("the document is Swagger %q: only 2.0 and OpenAPI 3.0, 3.1 and 3.2 can be read", swagger)
	}
	for _, field := range root.members() {
		switch kind := field.value.kind(); {
		case field.name == "paths" && (kind == scalar || kind == list):
			return errors.New("the document's paths are not an object")
		case strings.EqualFold(field.name, overrideName):
			return errors.New("the document as a whole has an x-routeauth, which is for operations and path items: its security is for all of them")
		}
	}
	return nil
}

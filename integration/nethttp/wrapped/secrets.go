package wrapped

import (
	"context"

	"example.com/routeauth"
)

// secrets has the same value each time. With a source that can be told of a
// rejected value, a request is prepared to be sent a second time.
type secrets struct{}

func (secrets) Secret(context.Context) (routeauth.Secret, error) { return headerValue, nil }

func (secrets) Discard(context.Context, routeauth.Secret) {}

var _ routeauth.SecretDiscarder = secrets{}

// Package route finds the route of a request: the most specific of the patterns
// that match its method and path.
//
// A pattern is one of [net/http.ServeMux] without a host, such as
// "GET /files/{id}", and what ServeMux takes means the same here: a method, of
// which GET also matches HEAD; {name} for a segment; {name...} for all that
// follows; {$} for the end of a path with a last slash; a last slash for
// everything below.
//
// # Why not ServeMux
//
// A ServeMux dispatches requests to the handlers of one server. Its author can
// change both the server and the patterns, so ServeMux refuses whatever is not
// clear-cut. Here the patterns describe somebody else's API, often as generated
// from a document. These are the differences:
//
//   - ServeMux refuses patterns that overlap, such as "/users/{id}" beside
//     "/{kind}/me". APIs are full of them. Here they are an error only if they
//     ask for different things.
//   - ServeMux's wildcards are whole segments. Here a segment may mix text and
//     wildcards, as in "/accounts/{id}.json", "/batches/{id}:cancel" and
//     "/compare/{base}...{head}", and {name...} may stand in the middle, as in
//     "/v2/{name...}/tags".
//   - ServeMux's names are Go identifiers, each used once. Here a name is
//     anything but "$", without braces and slashes, and may be used again.
//   - ServeMux takes a segment that is only "%2F" for a last slash. Here it is a
//     value like any other: "/queues/{vhost}/{name}" matches "/queues/%2F/jobs",
//     and the pattern "/%2F" is not "/{$}".
//   - ServeMux redirects from a path that is not clean, and from "/files" to
//     "/files/" if only the latter has a handler. Here the route is the one that
//     ServeMux would redirect to.
//   - ServeMux matches CONNECT requests, whose paths it does not clean. Here
//     CONNECT matches nothing.
//   - ServeMux takes patterns that no real request matches, such as
//     "get /files", "/files/:id", "/files/*", "/files?all=1", "/files/../a" and
//     "/files/id}". Here they are errors that say what to write.
//   - ServeMux takes time that is quadratic in the number of conflicts, and its
//     lookup allocates memory for the values of wildcards. Here the time grows
//     with the conflicts, and a lookup allocates nothing.
//   - GODEBUG=httpmuxgo121=1 turns ServeMux's wildcards into text.
//
// A test holds the two against each other wherever both take the patterns. All
// else is held against a model that tries every pattern.
package route

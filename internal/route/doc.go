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
// A ServeMux dispatches requests to handlers, and everything it does not take
// is a mistake in a server that one author wrote. Here the patterns describe
// somebody else's API, often as a generator read them from a document, and ask
// for a credential each. So ServeMux stands in the way in these places:
//
//   - It refuses two patterns that overlap, such as "/users/{id}" beside
//     "/{kind}/me". In APIs this is common, and harmless where both ask for the
//     same, so here it is an error only where they do not.
//   - Its wildcards are whole segments. "/accounts/{id}.json",
//     "/batches/{id}:cancel" and "/compare/{base}...{head}" are taken here, and
//     so is "/v2/{name...}/tags", with {name...} in the middle.
//   - Its names are Go identifiers, each used once. Here a name is anything but
//     "$", without braces and slashes, and may come twice.
//   - It takes a segment that is only "%2F" for a last slash. Here it is a value
//     like any other: "/queues/{vhost}/{name}" matches "/queues/%2F/jobs", and
//     the pattern "/%2F" is not "/{$}".
//   - It redirects from a path that is not clean, and from "/files" to "/files/"
//     where only the latter has a handler. Here the place where it would
//     redirect to is looked up at once.
//   - It answers CONNECT, for which it does not clean the path. Here CONNECT
//     matches nothing.
//   - It takes patterns that no request of an HTTP client matches, such as
//     "get /files", "/files/:id", "/files/*", "/files?all=1" or "/files/../a".
//     They are errors here, which say what to write, and so is a brace that
//     belongs to no wildcard.
//   - It takes time that is quadratic in the number of conflicts, and its lookup
//     allocates for each wildcard that it fills. Here refusing a table is linear
//     and a lookup allocates nothing.
//   - GODEBUG=httpmuxgo121=1 turns its wildcards off, without a word.
//
// What both can say, a test holds against ServeMux; all else is held against a
// model that tries every pattern.
package route

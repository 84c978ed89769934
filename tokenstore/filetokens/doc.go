// Package filetokens keeps tokens in files between the runs of a program: a
// command that runs for a second finds the token of its last run.
//
// A [Source] stands between a [routeauth.TokenCache] and the source that fetches:
//
//	stored, err := filetokens.New(filepath.Join(cacheDir, "mytool", "tokens"), remote)
//	cache, err := routeauth.NewTokenCache(stored)
//
// Programs that run at the same time share what is in the folder: a hundred of
// them, started at once, make one fetch. All of them, and every run, must ask the
// same issuer for the same kind of token: identity and params tell tokens apart,
// and the folder tells programs apart.
//
// # What is in the folder
//
// Each token has a file. Its name is a hash and tells neither identity nor
// params. It holds the token in the clear, since a key to encrypt it with would
// have to lie beside it: the folder's mode is what protects it. A checksum and
// the file's own name are in it, too, so a file that is damaged, or was copied to
// another name, counts as missing. It is written whole or not at all: to a file
// of a fixed name beside it, which is then renamed. Files of tokens that
// ended are removed little by little, when others are written.
//
// Empty lock files, at most 256, are never removed, since to remove one that
// somebody else is about to lock would let two hold it.
//
// # When a file cannot be written or read
//
// Then the token is fetched, and the request goes on: the folder makes fetches
// rarer and is needed for no request. A lock that the file system does not have
// is treated alike. On a network file system, locks are as good as its own. Where
// [New] fails, as under sudo, whose folder is another user's, go on without it.
//
// # Windows
//
// Windows has no modes. A folder inherits who may read it from the one that it is
// in; the one of [os.UserCacheDir] is the user's own.
package filetokens

// Package redistokens lets processes that share a Redis share tokens: a fleet of
// any size fetches each token once.
//
// A [Source] stands between a [routeauth.TokenCache] and the source that fetches:
//
//	shared, err := redistokens.New(client, remote, redistokens.WithEncryptionKey(key))
//	cache, err := routeauth.NewTokenCache(shared)
//
// The cache answers from the process's memory. Only when it has no token, or is
// about to renew one, is Redis asked, and only when Redis has none does one of
// the processes fetch. A token that a server rejected is taken out of Redis, and
// again one process fetches.
//
// # When Redis fails
//
// Redis makes fetches rarer and is needed for no request. While it is down,
// frozen, slow, full, read-only, wiped or full of garbage, each process works by
// itself, and joins the others again afterwards. All commands of a call together
// hold it up for a second at most, also where the client ignores deadlines, as
// go-redis does unless told otherwise. That second is one in which this process
// gets to run: on a machine that is too busy to let it, or that was suspended, it
// takes longer before Redis is taken for dead. What a call waits for another
// process's fetch is not Redis's doing, and does not count. A token is written
// without the call that fetched it where its second is spent. After a failure
// Redis is left alone for one second, then two, then four, and each time one call
// tries it. A command that the client itself does not give up stays behind until
// it does.
//
// No error tells of any of this. The project's docs/fleets.md says how to see
// whether sharing works.
//
// Calls for many tokens at once share the client's connections and wait for each
// other, so that a second may be too short for all of them.
// [routeauth.WithMaxFetches] of the cache above bounds how many begin at once.
//
// # Lifetimes and clocks
//
// How long a shared token still lives is what Redis's clock says, so hosts whose
// clocks disagree share it. A key in Redis ends with its token and never after.
// The token of a source that says nothing of its end, as an opaque token without
// an Expiry, is not shared.
//
// # What Redis gets to see
//
// The keys are routeauth:{hash}:token and routeauth:{hash}:lock, where the hash
// is keyed and tells neither identity nor params. The values are sealed with
// AES-256-GCM. Both come from the key that is given to [WithEncryptionKey]:
// processes with another key, or another namespace, share nothing with these, and
// do not disturb them.
//
// The user of the client needs these permissions, and nothing else of this
// package's doing:
//
//	~routeauth:* +get +set +del +pttl +pexpire +getrange +evalsha +eval
//
// go-redis itself needs +hello, from Redis 7.2 on +client|setinfo, and in a
// cluster +cluster and +command, with +readonly if the client reads from
// replicas. Every command of this package goes to the primary: a replica may
// still have a token that was rejected, and is taken for a Redis that fails.
package redistokens

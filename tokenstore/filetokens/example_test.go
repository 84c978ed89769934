package filetokens_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"example.com/routeauth"
	"example.com/routeauth/tokenstore/filetokens"
)

// A command keeps its tokens under the user's cache folder, which is
// ~/.cache on Linux, ~/Library/Caches on macOS and %LocalAppData% on Windows. Where
// New fails it goes on without them: they make fetches rarer, and no more.
func Example() {
	// Only so that this example leaves nothing behind. A command does not do it.
	home, err := os.MkdirTemp("", "home")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(home)
	os.Setenv("HOME", home)
	os.Setenv("LocalAppData", home)
	os.Unsetenv("XDG_CACHE_HOME")

	run := func() {
		// In a program this is a RemoteTokenSource, or whatever fetches.
		remote := routeauth.TokenSourceFunc(func(context.Context, routeauth.Params) (routeauth.Token, error) {
			fmt.Println("a fetch")
			return routeauth.Token{Value: "opaque", Expiry: time.Now().Add(time.Hour)}, nil
		})
		caches, err := os.UserCacheDir()
		if err != nil {
			log.Fatal(err)
		}
		var source routeauth.TokenSource = remote
		if stored, err := filetokens.New(filepath.Join(caches, "mytool", "tokens"), remote); err == nil {
			source = stored
		} else { // under sudo the folder is another user's
			log.Print("tokens are not kept: ", err)
		}
		cache, err := routeauth.NewTokenCache(source)
		if err != nil {
			log.Fatal(err)
		}
		if _, err := cache.Token(context.Background(), nil); err != nil {
			log.Fatal(err)
		}
		fmt.Println("a token")
	}
	run()
	run() // a second later
	// Output:
	// a fetch
	// a token
	// a token
}

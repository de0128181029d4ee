package boltkv_test

import (
	"context"
	"fmt"

	"twinbucket/store/kv"
	"twinbucket/store/kv/boltkv"
)

// Example writes two records in one transaction and lists them.
func Example() {
	ctx := context.Background()
	engine, err := boltkv.OpenMemory()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer engine.Close()

	err = engine.Update(ctx, func(tx kv.Txn) error {
		tx.Put([]byte("bucket/photos"), []byte("account 000000000000"))
		tx.Put([]byte("bucket/videos"), []byte("account 000000000000"))
		return nil
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	prefix := []byte("bucket/")
	err = engine.View(ctx, func(r kv.Reader) error {
		return r.Scan(prefix, kv.PrefixEnd(prefix), func(k, v []byte) (bool, error) {
			fmt.Printf("%s: %s\n", k, v)
			return true, nil
		})
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// bucket/photos: account 000000000000
	// bucket/videos: account 000000000000
}

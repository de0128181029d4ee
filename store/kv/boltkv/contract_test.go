package boltkv

import (
	"testing"

	"twinbucket/store/kv"
	"twinbucket/store/kv/kvtest"
)

func TestContractDurable(t *testing.T) {
	kvtest.Run(t, kvtest.Config{
		Durable: true,
		Open: func(tb testing.TB, dir string) kv.Engine {
			e, err := Open(dir, Options{})
			if err != nil {
				tb.Fatal(err)
			}
			return e
		},
	})
}

func TestContractMemory(t *testing.T) {
	kvtest.Run(t, kvtest.Config{
		Open: func(tb testing.TB, _ string) kv.Engine {
			e, err := OpenMemory()
			if err != nil {
				tb.Fatal(err)
			}
			return e
		},
	})
}

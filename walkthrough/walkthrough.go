package walkthrough

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"math/big"
	"slices"
	"strings"
)

// Options say where a walkthrough plays. The zero value starts a server that is gone afterwards.
type Options struct {
	// Endpoint is the URL of a running server; "" starts one in this process.
	Endpoint string
	// RootSecret is the secret of the root access keys. Default "test".
	RootSecret string
	// Token is the operator token, where the server asks for one.
	Token string
}

// Summary is one walkthrough in a list.
type Summary struct {
	Name string
	Text string
}

// ErrUnknown is returned by [Run] for a name that is not listed.
var ErrUnknown = errors.New("no such walkthrough")

// walkthrough is one scenario: its steps are what play does with p.
type walkthrough struct {
	name, text, next string
	play             func(ctx context.Context, p *play)
}

func walkthroughs() []walkthrough {
	return []walkthrough{
		{"crr-kms", "two accounts, two Regions, V1 rule with prefix Tax, then SSE-KMS: from nothing to a verified replica", "pitfalls", crrKMS},
		{"same-account", "one account, two Regions, the whole bucket, replica encryption enforced by a condition", "cross-account", sameAccount},
		{"cross-account", "default encryption with customer keys on both sides, key policies, V2 rule with storage class and delete markers", "pitfalls", crossAccount},
		{"pitfalls", "everything that goes wrong: broken, shown as AWS shows it, explained, repaired", "crr-kms", pitfalls},
	}
}

// List names the walkthroughs in the order to play them.
func List() []Summary {
	var out []Summary
	for _, w := range walkthroughs() {
		out = append(out, Summary{w.name, w.text})
	}
	return out
}

// Run plays the named walkthrough and narrates it to out. Errors: [ErrUnknown]; a
// *[Failure] when a step went otherwise than on AWS; or why the server could not be
// started or reached.
func Run(ctx context.Context, out io.Writer, name string, opts Options) error {
	all := walkthroughs()
	i := slices.IndexFunc(all, func(w walkthrough) bool { return w.name == name })
	if i < 0 {
		return fmt.Errorf("%w: %q", ErrUnknown, name)
	}
	w := all[i]
	st, err := openStage(ctx, opts)
	if err != nil {
		return err
	}
	p := &play{stage: st, name: w.name, out: out}
	p.welcome()
	w.play(ctx, p)
	p.verdict(w.next)
	return errors.Join(p.failure(), st.close(context.WithoutCancel(ctx)))
}

// suffix is what tells the names of this performance from those of another.
func suffix() string { return "-" + strings.ToLower(rand.Text()[:6]) }

// digits is a random decimal number of n digits that does not begin with 0.
func digits(n int) string {
	low := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n-1)), nil)
	more, err := rand.Int(rand.Reader, new(big.Int).Mul(low, big.NewInt(9)))
	if err != nil {
		panic("walkthrough: no randomness: " + err.Error())
	}
	return low.Add(low, more).String()
}

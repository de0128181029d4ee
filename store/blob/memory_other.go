//go:build !unix || solaris || aix

package blob

import (
	"errors"
	"os"
)

// tryLock cannot tell what is abandoned here, so nothing is ever taken for that.
func tryLock(*os.File) error { return errors.ErrUnsupported }

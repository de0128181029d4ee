package sigv4

import (
	"bufio"
	"crypto/sha256"
	"errors"
	"slices"
	"strings"
)

const trailerSignature = "x-amz-trailer-signature"

// readTrailer reads "name:value\r\n" lines up to an empty one. In the signed form the line
// x-amz-trailer-signature is the last. Some clients (minio-go) end trailer lines with a bare
// "\n" and put an empty line before the signature; both are let through (A25).
func (c *chunkReader) readTrailer() error {
	trailer := map[string]string{}
	var canonical []byte
	var signature string
	for room := maxTrailer; ; {
		line, n, err := c.readTrailerLine()
		if err != nil {
			return err
		}
		if room -= n; room < 0 {
			return c.badTrailer("")
		}
		if line == "" {
			if c.signer == nil || signature != "" {
				break
			}
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		name, value = strings.ToLower(strings.Trim(name, " \t")), strings.Trim(value, " \t")
		if !ok || value == "" || signature != "" {
			return c.badTrailer(name)
		}
		if name == trailerSignature && c.signer != nil {
			signature = value
			continue
		}
		if _, twice := trailer[name]; twice || !slices.Contains(c.announced, name) {
			return c.badTrailer(name)
		}
		trailer[name] = value
		canonical = append(append(append(append(canonical, name...), ':'), value...), '\n')
	}
	for _, name := range c.announced {
		if _, ok := trailer[name]; !ok {
			return c.badTrailer(name)
		}
	}
	if c.signer != nil {
		sum := sha256.Sum256(canonical)
		if ok, toSign := c.signer.next(trailerAlgorithm, sum[:], signature); !ok {
			e := c.fail(BadTrailerSignature)
			e.StringToSign, e.SignatureProvided = toSign, signature
			return e
		}
	}
	c.trailer = trailer
	return nil
}

// readTrailerLine gives a line without its end, and how many bytes it took.
func (c *chunkReader) readTrailerLine() (string, int, error) {
	line, err := c.source.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		return "", 0, c.badTrailer("")
	} else if err != nil {
		return "", 0, c.cut(err, c.total)
	}
	n := len(line)
	line = line[:n-1]
	if n > 1 && line[n-2] == '\r' {
		line = line[:n-2]
	}
	return string(line), n, nil
}

func (c *chunkReader) badTrailer(name string) error {
	return c.fail(MalformedTrailer).withValue(name)
}

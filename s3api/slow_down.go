package s3api

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// slowDown answers 503 with S3's own reason phrase, "Slow Down", and closes the
// connection (S42). net/http can only say "Service Unavailable", so the response is
// written by hand; false means that the connection can't be taken over and nothing was
// written.
func (req *request) slowDown(body []byte) bool {
	if req.r.ProtoMajor != 1 {
		return false
	}
	header := req.w.Header().Clone()
	conn, buf, err := http.NewResponseController(req.writer.ResponseWriter).Hijack()
	if err != nil {
		return false
	}
	req.writer.status = http.StatusServiceUnavailable
	defer conn.Close()
	header.Set("Connection", "close")
	header.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	conn.SetDeadline(time.Now().Add(lingerTime))
	fmt.Fprintf(buf, "HTTP/1.1 503 Slow Down\r\n")
	header.Write(buf)
	io.WriteString(buf, "\r\n")
	buf.Write(body)
	if buf.Flush() == nil {
		linger(conn)
	}
	return true
}

const (
	lingerTime  = 500 * time.Millisecond
	lingerBytes = 256 << 10
)

// linger reads what the client still sends for a moment: closing at once would reset
// the connection and could lose the answer on its way.
func linger(conn net.Conn) {
	if half, ok := conn.(interface{ CloseWrite() error }); !ok || half.CloseWrite() != nil {
		return
	}
	io.CopyN(io.Discard, conn, lingerBytes)
}

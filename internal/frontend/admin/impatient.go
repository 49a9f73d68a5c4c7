package admin

import (
	"io"
	"net/http"
	"time"
)

// bodyPause is how long nothing of a body may come before its connection is closed.
const bodyPause = 30 * time.Second

// impatient ends requests whose body does not come, whether next reads it or not: a
// client that is gone in the middle of one would keep one of the port's few places for
// ever. How long next takes once the body is there is its own affair.
func impatient(next http.Handler, pause time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength != 0 {
			body := &awaitedBody{r.Body, http.NewResponseController(w), pause}
			body.await()
			r.Body = body
		}
		next.ServeHTTP(w, r)
	})
}

// awaitedBody moves the deadline of the connection as its bytes come.
type awaitedBody struct {
	io.ReadCloser
	control *http.ResponseController
	pause   time.Duration
}

func (b *awaitedBody) Read(p []byte) (int, error) {
	b.await()
	n, err := b.ReadCloser.Read(p)
	if err == io.EOF {
		_ = b.control.SetReadDeadline(time.Time{}) // as in await
	}
	return n, err
}

func (b *awaitedBody) await() {
	_ = b.control.SetReadDeadline(time.Now().Add(b.pause)) // a recorder in a test has none
}

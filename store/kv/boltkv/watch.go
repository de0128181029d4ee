package boltkv

import (
	"bytes"
	"context"
	"sync"
)

// watchers are the channels handed out by Watch.
type watchers struct {
	mu     sync.Mutex
	closed bool
	set    map[*watcher]struct{}
}

type watcher struct {
	prefix []byte
	ch     chan struct{}
	stop   func() bool // releases the watch on ctx
}

func (ws *watchers) add(ctx context.Context, prefix []byte) <-chan struct{} {
	w := &watcher{prefix: bytes.Clone(prefix), ch: make(chan struct{}, 1)}
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if ws.closed {
		close(w.ch)
		return w.ch
	}
	if ws.set == nil {
		ws.set = make(map[*watcher]struct{})
	}
	ws.set[w] = struct{}{}
	w.stop = context.AfterFunc(ctx, func() { ws.remove(w) })
	return w.ch
}

func (ws *watchers) remove(w *watcher) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if _, ok := ws.set[w]; ok {
		delete(ws.set, w)
		close(w.ch)
	}
}

func (ws *watchers) close() {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	ws.closed = true
	for w := range ws.set {
		w.stop()
		close(w.ch)
	}
	clear(ws.set)
}

// notify signals every watcher one of whose keys the committed group wrote.
func (ws *watchers) notify(group []*update) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	for w := range ws.set {
		if w.touchedBy(group) {
			select {
			case w.ch <- struct{}{}:
			default: // a signal is already waiting
			}
		}
	}
}

func (w *watcher) touchedBy(group []*update) bool {
	for _, u := range group {
		if u.err != nil || u.panicked != nil {
			continue
		}
		for _, write := range u.buf.Writes() {
			if bytes.HasPrefix(write.Key, w.prefix) {
				return true
			}
		}
	}
	return false
}

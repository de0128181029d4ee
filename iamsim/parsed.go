package iamsim

import (
	"container/list"
	"sync"

	"twinbucket/iamsim/policy"
)

// parsedBytes bounds the text of the documents that are remembered.
const parsedBytes = 8 << 20

// parsed remembers parsed documents by their text, the recently used ones.
type parsed struct {
	mu     sync.Mutex
	byText map[string]*list.Element // of *policy.Document
	order  *list.List               // most recently used first
	size   int
}

// cost of a remembered text: the parsed form is a few times its size, and never nothing.
func parsedCost(text string) int { return len(text) + 512 }

func (p *parsed) get(text string) *policy.Document {
	p.mu.Lock()
	defer p.mu.Unlock()
	e := p.byText[text]
	if e == nil {
		return nil
	}
	p.order.MoveToFront(e)
	return e.Value.(*policy.Document)
}

func (p *parsed) put(doc *policy.Document) {
	p.mu.Lock()
	defer p.mu.Unlock()
	text := doc.Text()
	if p.byText[text] != nil {
		return
	}
	p.byText[text] = p.order.PushFront(doc)
	p.size += parsedCost(text)
	for p.size > parsedBytes {
		oldest := p.order.Back()
		text := p.order.Remove(oldest).(*policy.Document).Text()
		delete(p.byText, text)
		p.size -= parsedCost(text)
	}
}

// ParsePolicy parses text, remembering recent documents: policies are parsed once
// and evaluated many times. The error is policy.Parse's.
func (s *Service) ParsePolicy(text string) (*policy.Document, error) {
	if doc := s.parsed.get(text); doc != nil {
		return doc, nil
	}
	doc, err := policy.Parse(text)
	if err != nil {
		return nil, err
	}
	s.parsed.put(doc)
	return doc, nil
}

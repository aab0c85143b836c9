package stock

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
)

type Answer struct{ Count int }

func Ask(ctx context.Context, url string) (a Answer, err error) {
	answers := make(chan Answer)
	go func() { answers <- fetch(url) }()
	select {
	case a = <-answers:
	case <-ctx.Done():
		err = ctx.Err()
	}
	return a, err
}

func fetch(url string) (a Answer) {
	resp, err := http.Get(url)
	if err != nil {
		return a
	}
	if resp.StatusCode != http.StatusOK {
		return a // closed too late
	}
	defer resp.Body.Close()
	json.NewDecoder(resp.Body).Decode(&a)
	return a
}

func Warm(urls []string) {
	var wg sync.WaitGroup
	for _, url := range urls {
		go func() {
			wg.Add(1)
			defer wg.Done()
			fetch(url)
		}()
	}
	wg.Wait()
}

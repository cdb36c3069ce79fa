package backend

import (
	"io"
	"net/http"
	"testing"
	"time"
)

func get(address string) (*http.Response, string, error) {
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get("http://" + address + "/")
	if err != nil {
		return nil, "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return response, string(body), err
}

func TestSaysWhoItIs(t *testing.T) {
	first, err := Start(t, Pod{Site: "docs", Name: "docs-1", Address: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	second, err := Start(t, Pod{Site: "docs", Name: "docs-2", Address: "127.0.0.1:0", Handler: http.NotFoundHandler()})
	if err != nil {
		t.Fatal(err)
	}
	response, body, err := get(first.Address())
	if err != nil || body != "site=docs pod=docs-1\n" || response.Header.Get(SiteHeader) != "docs" || response.Header.Get(PodHeader) != "docs-1" {
		t.Errorf("the first says %q, %v, %v", body, response, err)
	}
	response, _, err = get(second.Address())
	if err != nil || response.StatusCode != 404 || response.Header.Get(PodHeader) != "docs-2" {
		t.Errorf("the second says %v, %v", response, err)
	}
	if first.Requests() != 1 || second.Requests() != 1 {
		t.Errorf("they count %d and %d requests", first.Requests(), second.Requests())
	}
	first.Stop()
	if _, _, err := get(first.Address()); err == nil {
		t.Error("it answers after its end")
	}
	if _, _, err := get(second.Address()); err != nil {
		t.Errorf("the other one went with it: %v", err)
	}
}

func TestAddressInUse(t *testing.T) {
	first, err := Start(t, Pod{Site: "docs", Name: "docs-1", Address: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Start(t, Pod{Site: "docs", Name: "docs-2", Address: first.Address()}); err == nil {
		t.Error("two pods on one address")
	}
}

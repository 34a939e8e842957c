// Web is a pod's program for the node's test: it says who it is, fetches what it is told to, and refuses as a webhook.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"time"
)

const (
	account = "/var/run/secrets/kubernetes.io/serviceaccount/"
	serving = "/serving/"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "--version" {
		return
	}
	started := time.Now()
	http.HandleFunc("/name", func(out http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(out, os.Getenv("HOSTNAME"))
	})
	// Long enough that a rollout which does not wait for the probe is seen.
	http.HandleFunc("/ready", func(out http.ResponseWriter, _ *http.Request) {
		if time.Since(started) < 2*time.Second {
			out.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	http.HandleFunc("/fetch", fetch)
	http.HandleFunc("/validate", refuse)
	if _, err := os.Stat(serving + "tls.crt"); err == nil {
		go func() { log.Fatal(http.ListenAndServeTLS(":8443", serving+"tls.crt", serving+"tls.key", nil)) }()
	}
	log.Print("serving")
	log.Fatal(http.ListenAndServe(":8080", nil))
}

// fetch trusts the cluster's authority only, and shows the pod's own token to servers that have a certificate of it.
func fetch(out http.ResponseWriter, in *http.Request) {
	authority, err := os.ReadFile(account + "ca.crt")
	if err != nil {
		http.Error(out, err.Error(), http.StatusInternalServerError)
		return
	}
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(authority)
	client := http.Client{
		Timeout:   5 * time.Second,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted}},
	}
	request, err := http.NewRequest(http.MethodGet, in.URL.Query().Get("url"), nil)
	if err != nil {
		http.Error(out, err.Error(), http.StatusBadRequest)
		return
	}
	if request.URL.Scheme == "https" {
		token, _ := os.ReadFile(account + "token")
		request.Header.Set("Authorization", "Bearer "+string(token))
	}
	answer, err := client.Do(request)
	if err != nil {
		http.Error(out, err.Error(), http.StatusBadGateway)
		return
	}
	defer answer.Body.Close()
	out.WriteHeader(answer.StatusCode)
	io.Copy(out, answer.Body)
}

func refuse(out http.ResponseWriter, in *http.Request) {
	var review struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
		Request    struct {
			UID string `json:"uid"`
		} `json:"request"`
	}
	if err := json.NewDecoder(in.Body).Decode(&review); err != nil {
		http.Error(out, err.Error(), http.StatusBadRequest)
		return
	}
	json.NewEncoder(out).Encode(map[string]any{
		"apiVersion": review.APIVersion,
		"kind":       review.Kind,
		"response": map[string]any{
			"uid":     review.Request.UID,
			"allowed": false,
			"status":  map[string]any{"message": "refused by the pod " + os.Getenv("HOSTNAME")},
		},
	})
}

// Command ca-loader reports what istiod and the Istio agent do with directories of CA files (ca-cert.pem, ca-key.pem,
// root-cert.pem, cert-chain.pem), by calling the functions that they call. It reads one JSON request per line from
// standard input and writes one JSON verdict per line to standard output; many directories per process.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"sync"

	"istio.io/istio/pkg/log"
)

// request names a directory of CA files.
type request struct {
	ID  int    `json:"id"`
	Dir string `json:"dir"`
}

// verdict is the answer to a request. A stage without an error has an empty text.
type verdict struct {
	ID     int     `json:"id"`
	Start  outcome `json:"start"`
	Reload outcome `json:"reload"`
	Agent  outcome `json:"agent"`
	// Roots is how many different certificates of root-cert.pem istiod trusts.
	Roots int `json:"roots"`
	// Unparsed is the first certificate of the files that Go cannot parse, and why: the loader's own error hides it.
	Unparsed string `json:"unparsed,omitempty"`
	// Workload is what the agent hands to Envoy; absent if istiod or the agent rejected the files.
	Workload *workload `json:"workload,omitempty"`
}

// outcome is the first stage that failed, and why; both are empty if all stages passed.
type outcome struct {
	Stage string `json:"stage,omitempty"`
	Error string `json:"error,omitempty"`
}

// workload is a workload certificate as the agent sends it to Envoy.
type workload struct {
	Chain []byte `json:"chain"`
	Key   []byte `json:"key"`
	Roots []byte `json:"roots"`
}

func main() {
	options := log.DefaultOptions()
	options.OutputPaths = []string{"/dev/null"}
	if err := log.Configure(options); err != nil {
		fail(err)
	}
	silence()
	requests := make(chan request)
	var workers, writer sync.WaitGroup
	verdicts := make(chan verdict)
	for range runtime.NumCPU() {
		workers.Go(func() {
			for one := range requests {
				verdicts <- judge(one)
			}
		})
	}
	writer.Go(func() {
		out := bufio.NewWriter(os.Stdout)
		encoder := json.NewEncoder(out)
		for one := range verdicts {
			if err := encoder.Encode(one); err != nil {
				fail(err)
			}
			if err := out.Flush(); err != nil {
				fail(err)
			}
		}
	})
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var one request
		if err := json.Unmarshal(lines.Bytes(), &one); err != nil {
			fail(err)
		}
		requests <- one
	}
	if err := lines.Err(); err != nil {
		fail(err)
	}
	close(requests)
	workers.Wait()
	close(verdicts)
	writer.Wait()
}

// silence drops istiod's log lines of every level: there are several for each certificate.
func silence() {
	for _, scope := range log.Scopes() {
		scope.SetOutputLevel(log.NoneLevel)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "ca-loader:", err)
	os.Exit(1)
}

func judge(one request) verdict {
	result := verdict{ID: one.ID, Roots: trustedRoots(one.Dir), Unparsed: firstUnparsed(one.Dir)}
	ca, started := guarded(func() (*startedCA, outcome) { return start(one.Dir) })
	result.Start = started
	reloadedCA, reloaded := guarded(func() (*startedCA, outcome) { return reload(one.Dir) })
	result.Reload = reloaded
	if ca == nil {
		ca = reloadedCA
	}
	if ca != nil {
		result.Workload, result.Agent = guarded(func() (*workload, outcome) { return agent(ca) })
	}
	return result
}

// guarded turns a panic of Istio's code into a failed stage: istiod would crash.
func guarded[T any](run func() (*T, outcome)) (value *T, result outcome) {
	defer func() {
		if panicked := recover(); panicked != nil {
			value, result = nil, outcome{Stage: "panic", Error: fmt.Sprint(panicked)}
		}
	}()
	return run()
}

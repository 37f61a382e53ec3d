package main

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"

	"istio.io/istio/security/pkg/pki/ca"
)

// trustedRoots counts the different certificates that Verify (security/pkg/pki/util/keycertbundle.go) uses as roots:
// AppendCertsFromPEM skips what it cannot parse.
func trustedRoots(dir string) int {
	text, err := os.ReadFile(filepath.Join(dir, ca.RootCertFile))
	if err != nil {
		return 0
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(text)
	//nolint:staticcheck // Subjects omits only the system's roots, and this pool has none.
	return len(pool.Subjects())
}

// firstUnparsed names the first block of the certificate files that Go cannot parse, with the reason.
func firstUnparsed(dir string) string {
	for _, name := range []string{ca.CACertFile, ca.RootCertFile, ca.CertChainFile} {
		rest, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return err.Error()
		}
		for number := 1; ; number++ {
			var block *pem.Block
			if block, rest = pem.Decode(rest); block == nil {
				break
			}
			if _, err := x509.ParseCertificate(block.Bytes); err != nil {
				return fmt.Sprintf("%s block %d: %v", name, number, err)
			}
		}
	}
	return ""
}

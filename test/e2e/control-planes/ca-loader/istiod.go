package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"istio.io/istio/pilot/pkg/trustbundle"
	"istio.io/istio/pkg/spiffe"
	webhooks "istio.io/istio/pkg/webhooks/util"
	"istio.io/istio/security/pkg/pki/ca"
	"istio.io/istio/security/pkg/pki/util"
	caserver "istio.io/istio/security/pkg/server/ca"
)

const (
	trustDomain = "cluster.local"
	// istiod's defaults: DEFAULT_WORKLOAD_CERT_TTL, MAX_WORKLOAD_CERT_TTL, CITADEL_SELF_SIGNED_CA_RSA_KEY_SIZE.
	workloadTTL    = 24 * time.Hour
	maxWorkloadTTL = 90 * 24 * time.Hour
	caRSAKeySize   = 2048
)

// servingNames are the DNS names of istiod's serving certificate (pilot/pkg/bootstrap/server.go, getDNSNames).
var servingNames = []string{
	"istio-pilot.istio-system.svc", "istiod-remote.istio-system.svc", "istiod.istio-system.svc",
}

// startedCA is a CA whose files istiod has loaded, with the parts of istiod that hold them.
type startedCA struct {
	ca     *ca.IstioCA
	served tls.Certificate
	peers  *spiffe.PeerCertVerifier
}

func filesOf(dir string) ca.SigningCAFileBundle {
	return ca.SigningCAFileBundle{
		RootCertFile:    filepath.Join(dir, ca.RootCertFile),
		CertChainFiles:  []string{filepath.Join(dir, ca.CertChainFile)},
		SigningCertFile: filepath.Join(dir, ca.CACertFile),
		SigningKeyFile:  filepath.Join(dir, ca.CAPrivateKeyFile),
	}
}

// start loads CA files as istiod does when it starts, in the order of NewServer (pilot/pkg/bootstrap/server.go):
//
//   - createIstioCA (pilot/pkg/bootstrap/istio_ca.go): NewPluggedCertIstioCAOptions reads root-cert.pem and
//     cert-chain.pem as pools, which skip what Go cannot parse; NewIstioCA reads the first block of cert-chain.pem.
//   - initWorkloadTrustBundle: TrustBundle.UpdateTrustAnchor reads the first block of root-cert.pem, which must be a CA
//     (only with ISTIO_MULTIROOT_MESH=true).
//   - initDNSCertsIstiod: issues istiod's own certificate.
//   - initIstiodCertLoader: loadIstiodCert parses every certificate of cert-chain.pem and stops at the first bad one.
//   - initSecureDiscoveryService: PeerCertVerifier.AddMappingFromPEM parses every block of root-cert.pem and stops at
//     the first bad one.
//   - the webhook patcher: VerifyCABundle requires that the first block of root-cert.pem is a CERTIFICATE.
func start(dir string) (*startedCA, outcome) {
	options, err := ca.NewPluggedCertIstioCAOptions(filesOf(dir), workloadTTL, maxWorkloadTTL, caRSAKeySize)
	if err != nil {
		return nil, failed("load", err)
	}
	istioCA, err := ca.NewIstioCA(options)
	if err != nil {
		return nil, failed("create CA", err)
	}
	roots := istioCA.GetCAKeyCertBundle().GetRootCertPem()
	if err := trustAnchor(roots); err != nil {
		return nil, failed("trust bundle", err)
	}
	served, result := serve(istioCA)
	if result.Stage != "" {
		return nil, result
	}
	peers := spiffe.NewPeerCertVerifier()
	if len(roots) != 0 {
		if err := peers.AddMappingFromPEM(trustDomain, roots); err != nil {
			return nil, failed("peer verifier", err)
		}
	}
	if err := webhooks.VerifyCABundle(roots); err != nil {
		return nil, failed("webhooks", err)
	}
	return &startedCA{ca: istioCA, served: *served, peers: peers}, outcome{}
}

// reload loads CA files into a CA that runs with other ones, as handleEvent does (pilot/pkg/bootstrap/istio_ca.go), after
// its comparison of the roots. A serving certificate that cannot be loaded is only logged then: istiod keeps the old one.
func reload(dir string) (*startedCA, outcome) {
	old, err := runningFiles()
	if err != nil {
		return nil, failed("harness", err)
	}
	bundle, err := util.NewVerifiedKeyCertBundleFromPem(old.cert, old.key, old.cert, old.cert, nil)
	if err != nil {
		return nil, failed("harness", err)
	}
	istioCA, err := ca.NewIstioCA(&ca.IstioCAOptions{
		DefaultCertTTL: workloadTTL, MaxCertTTL: maxWorkloadTTL, CARSAKeySize: caRSAKeySize, KeyCertBundle: bundle,
	})
	if err != nil {
		return nil, failed("harness", err)
	}
	files := filesOf(dir)
	if err := bundle.UpdateVerifiedKeyCertBundleFromFile(
		files.SigningCertFile, files.SigningKeyFile, files.CertChainFiles, files.RootCertFile, "",
	); err != nil {
		return nil, failed("load", err)
	}
	if len(bundle.GetRootCertPem()) != 0 {
		caserver.RecordCertsExpiry(bundle)
	}
	served, result := serve(istioCA)
	if result.Stage != "" {
		return nil, result
	}
	if err := trustAnchor(bundle.GetRootCertPem()); err != nil {
		return nil, failed("trust bundle", err)
	}
	peers := spiffe.NewPeerCertVerifier()
	// The running istiod keeps the verifier of its start; the agent's handshake below needs one.
	_ = peers.AddMappingFromPEM(trustDomain, bundle.GetRootCertPem())
	return &startedCA{ca: istioCA, served: *served, peers: peers}, outcome{}
}

// trustAnchor adds the roots to a workload trust bundle, as istiod does with ISTIO_MULTIROOT_MESH=true.
func trustAnchor(roots []byte) error {
	return trustbundle.NewTrustBundle(x509.NewCertPool(), nil).UpdateTrustAnchor(&trustbundle.TrustAnchorUpdate{
		TrustAnchorConfig: trustbundle.TrustAnchorConfig{Certs: []string{string(roots)}},
		Source:            trustbundle.SourceIstioCA,
	})
}

// serve issues istiod's serving certificate as IstioCA.GenKeyCert does, but for a key that all requests share (creating an
// RSA key takes longer than everything else), and loads it as loadIstiodCert does (pilot/pkg/bootstrap/certcontroller.go).
func serve(istioCA *ca.IstioCA) (*tls.Certificate, outcome) {
	key, err := servingKey()
	if err != nil {
		return nil, failed("harness", err)
	}
	chain, err := istioCA.SignWithCertChain(key.csr, ca.CertOpts{SubjectIDs: servingNames, TTL: workloadTTL})
	if err != nil {
		return nil, failed("issue serving certificate", err)
	}
	pair, err := tls.X509KeyPair([]byte(chain[0]), key.key)
	if err != nil {
		return nil, failed("serving certificate", err)
	}
	for _, der := range pair.Certificate {
		if _, err := x509.ParseCertificates(der); err != nil {
			return nil, failed("serving certificate", fmt.Errorf("x509 cert - ParseCertificates() error: %v", err))
		}
	}
	return &pair, outcome{}
}

func failed(stage string, err error) outcome {
	return outcome{Stage: stage, Error: err.Error()}
}

type csrAndKey struct{ csr, key []byte }

// servingKey is the key of all serving certificates.
var servingKey = sync.OnceValues(func() (csrAndKey, error) {
	csr, key, err := util.GenCSR(util.CertOptions{ECSigAlg: util.EcdsaSigAlg, ECCCurve: util.P256Curve})
	return csrAndKey{csr, key}, err
})

type keyAndCert struct{ cert, key []byte }

// runningFiles is the CA with which istiod runs before it reloads.
var runningFiles = sync.OnceValues(func() (keyAndCert, error) {
	cert, key, err := util.GenCertKeyFromOptions(util.CertOptions{
		TTL: workloadTTL, Org: trustDomain, IsCA: true, IsSelfSigned: true, ECSigAlg: util.EcdsaSigAlg,
	})
	if err != nil {
		return keyAndCert{}, err
	}
	if block, _ := pem.Decode(cert); block == nil {
		return keyAndCert{}, fmt.Errorf("no certificate generated")
	}
	return keyAndCert{cert, key}, nil
})

package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"time"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"

	pb "istio.io/api/security/v1alpha1"
	"istio.io/istio/pkg/security"
	"istio.io/istio/security/pkg/nodeagent/cache"
	caserver "istio.io/istio/security/pkg/server/ca"
)

const identity = "spiffe://cluster.local/ns/default/sa/default"

// agent obtains a workload certificate from the CA as the Istio agent does, and completes a handshake with istiod.
// Returns what the agent sends to Envoy.
func agent(started *startedCA) (*workload, outcome) {
	server, err := caserver.New(started.ca, workloadTTL, []security.Authenticator{anyone{}}, nil)
	if err != nil {
		return nil, failed("harness", err)
	}
	manager, err := cache.NewSecretManagerClient(client{server}, &security.Options{
		TrustDomain: trustDomain, WorkloadNamespace: "default", ServiceAccount: "default",
		ECCSigAlg: "ECDSA", ECCCurve: "P256", SecretTTL: workloadTTL, SecretRotationGracePeriodRatio: 0.5,
	})
	if err != nil {
		return nil, failed("harness", err)
	}
	defer manager.Close()
	leaf, err := manager.GenerateSecret(security.WorkloadKeyCertResourceName)
	if err != nil {
		return nil, failed("workload certificate", err)
	}
	roots, err := manager.GenerateSecret(security.RootCertReqResourceName)
	if err != nil {
		return nil, failed("workload roots", err)
	}
	result := &workload{Chain: leaf.CertificateChain, Key: leaf.PrivateKey, Roots: roots.RootCert}
	return result, handshake(started, leaf)
}

// client is the agent's client of istiod's CA, without the network between them
// (security/pkg/nodeagent/caclient/providers/citadel/client.go).
type client struct{ server *caserver.Server }

func (c client) CSRSign(csr []byte, seconds int64) ([]string, error) {
	ctx := peer.NewContext(context.Background(), &peer.Peer{Addr: &net.TCPAddr{}, AuthInfo: credentials.TLSInfo{}})
	response, err := c.server.CreateCertificate(ctx, &pb.IstioCertificateRequest{
		Csr: string(csr), ValidityDuration: seconds,
	})
	if err != nil {
		return nil, err
	}
	if len(response.CertChain) <= 1 {
		return nil, fmt.Errorf("invalid empty CertChain")
	}
	return response.CertChain, nil
}

func (client) Close() {}

func (client) GetRootCertBundle() ([]string, error) { return nil, nil }

// anyone authenticates every caller as the test's workload.
type anyone struct{}

func (anyone) Authenticate(security.AuthContext) (*security.Caller, error) {
	return &security.Caller{Identities: []string{identity}}, nil
}

func (anyone) AuthenticatorType() string { return "anyone" }

// handshake completes mutual TLS between the agent and istiod: the agent trusts root-cert.pem and expects istiod's name
// (pkg/istio-agent/agent.go), istiod verifies the workload certificate (initSecureDiscoveryService).
func handshake(started *startedCA, leaf *security.SecretItem) outcome {
	pair, err := tls.X509KeyPair(leaf.CertificateChain, leaf.PrivateKey)
	if err != nil {
		return failed("workload certificate", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(started.ca.GetCAKeyCertBundle().GetRootCertPem()) {
		return failed("agent roots", fmt.Errorf("failed to append certificates"))
	}
	near, far := net.Pipe()
	defer near.Close()
	defer far.Close()
	deadline := time.Now().Add(10 * time.Second)
	_ = near.SetDeadline(deadline)
	_ = far.SetDeadline(deadline)
	istiod := tls.Server(far, &tls.Config{
		GetCertificate:        func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &started.served, nil },
		ClientAuth:            tls.VerifyClientCertIfGiven,
		ClientCAs:             started.peers.GetGeneralCertPool(),
		VerifyPeerCertificate: started.peers.VerifyPeerCert,
		MinVersion:            tls.VersionTLS12,
		// Without tickets nothing is written after the handshake, which would block on a pipe that nobody reads.
		SessionTicketsDisabled: true,
	})
	proxy := tls.Client(near, &tls.Config{
		RootCAs: pool, ServerName: "istiod.istio-system.svc", MinVersion: tls.VersionTLS12,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil },
	})
	answered := make(chan error, 1)
	go func() { answered <- istiod.Handshake(); far.Close() }()
	if err := proxy.Handshake(); err != nil {
		near.Close()
		<-answered
		return failed("agent to istiod", err)
	}
	// In TLS 1.3 the client is done before istiod has verified it, and istiod's alert would block on an unread pipe.
	go func() { _, _ = proxy.Read(make([]byte, 1)) }()
	if err := <-answered; err != nil {
		return failed("istiod to agent", err)
	}
	return outcome{}
}

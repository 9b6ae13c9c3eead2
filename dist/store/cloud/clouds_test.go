//go:build cloud

package cloud_test

import (
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob"

	"x.go/tests/storetest"
	"x.go/tests/testenv"
)

// TestGCS has fake-gcs-server for Google's own.
func TestGCS(t *testing.T) {
	program := testenv.OnDemand(t, "fake-gcs-server", "X_TEST_GCS")
	at := storetest.Serve(t, func(port string) *exec.Cmd {
		return exec.Command(program, "-scheme", "http", "-host", "127.0.0.1", "-port", port, "-public-host", "127.0.0.1:"+port, "-backend", "memory")
	})
	t.Setenv("STORAGE_EMULATOR_HOST", at)
	resp, err := http.Post("http://"+at+"/storage/v1/b?project=test", "application/json", strings.NewReader(`{"name": "rust"}`))
	testenv.Must(t, err)
	resp.Body.Close()
	testBucket(t, "gs://rust/mirror?anonymous=true")
}

// TestAzure has azurite for Microsoft's own, with the account that it always has.
func TestAzure(t *testing.T) {
	program := testenv.OnDemand(t, "azurite-blob", "X_TEST_AZURE")
	dir := t.TempDir()
	at := storetest.Serve(t, func(port string) *exec.Cmd {
		cmd := exec.Command(program, "--disableTelemetry", "--skipApiVersionCheck", "--silent", "--location", dir, "--blobHost", "127.0.0.1", "--blobPort", port)
		cmd.Env = append(os.Environ(), "AZURITE_ACCOUNTS=")
		return cmd
	})
	const account, key = "devstoreaccount1", "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
	t.Setenv("AZURE_STORAGE_CONNECTION_STRING", "DefaultEndpointsProtocol=http;AccountName="+account+";AccountKey="+key+";BlobEndpoint=http://"+at+"/"+account+";")
	t.Setenv("AZURE_STORAGE_PROTOCOL", "http")
	t.Setenv("AZURE_STORAGE_DOMAIN", at)
	t.Setenv("AZURE_STORAGE_IS_LOCAL_EMULATOR", "true")
	createContainer(t, "rust")
	testBucket(t, "azblob://rust/mirror")
}

// createContainer creates a container of Azure.
func createContainer(t *testing.T, name string) {
	t.Helper()
	client, err := azblob.NewClientFromConnectionString(os.Getenv("AZURE_STORAGE_CONNECTION_STRING"), nil)
	testenv.Must(t, err)
	_, err = client.CreateContainer(t.Context(), name, nil)
	testenv.Must(t, err)
}

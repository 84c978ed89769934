package aiutatest_test

import (
	"fmt"
	"log"
	"net/http"
	"strings"

	"example.com/routeauth"
	"example.com/routeauth/aiuta"
	"example.com/routeauth/aiuta/aiutatest"
	"example.com/routeauth/issuer"
)

// A generation with a JWT and a subscription ID, and what the server saw of it.
func ExampleNewServer() {
	server := aiutatest.NewServer(aiutatest.Config{StatusCalls: 1})
	defer server.Close()

	source, err := issuer.New(aiutatest.JWTIssuer, aiutatest.JWTSecret)
	if err != nil {
		log.Fatal(err)
	}
	policy, err := routeauth.NewPolicy(server.DigitalTryOnURL(), aiuta.DigitalTryOnRoutes())
	if err != nil {
		log.Fatal(err)
	}
	transport, err := routeauth.New(policy, routeauth.JWTAuth{
		SubscriptionID: aiutatest.SubscriptionID,
		Source:         source,
		Params:         aiuta.RequestParams(),
	}, server.Client().Transport)
	if err != nil {
		log.Fatal(err)
	}
	client := &http.Client{Transport: transport}

	operations := server.DigitalTryOnURL() + "/sku_images_operations"
	body := strings.NewReader(`{"uploaded_image_id": "` + aiutatest.ModelImageID + `", "sku_id": "shirt"}`)
	started, err := client.Post(operations, "application/json", body)
	if err != nil {
		log.Fatal(err)
	}
	defer started.Body.Close()
	status, err := client.Get(operations + "/sku_images_op-1")
	if err != nil {
		log.Fatal(err)
	}
	defer status.Body.Close()

	for _, request := range server.Requests() {
		fmt.Println(request.Method, request.Path, request.Requirement, request.CredentialHeaders, request.Status)
	}
	fmt.Println("generations:", server.Generations())
	// Output:
	// POST /digital-try-on/v1/sku_images_operations mandatory [Authorization] 200
	// GET /digital-try-on/v1/sku_images_operations/sku_images_op-1 optional [X-User-Id] 200
	// generations: 1
}

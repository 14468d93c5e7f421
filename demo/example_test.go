package demo_test

import (
	"fmt"

	"github.com/haldane-canary/haldane/demo"
)

func ExampleScene_Config() {
	scene, err := demo.Find("quiet")
	if err != nil {
		fmt.Println(err)
		return
	}
	file, err := scene.Config(demo.Places{
		Proxy: "127.0.0.1:8080", Admin: "127.0.0.1:9900", Bus: "127.0.0.1:4222", Dir: "./haldane-data",
		Baseline: "http://127.0.0.1:9001", Canary: "http://127.0.0.1:9002",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s", file)
	// Output:
	// # quiet: nothing is wrong, but hardly anybody comes: no verdict can be had, and none is made up.
	// dir: "./haldane-data"
	// proxy: {listen: "127.0.0.1:8080"}
	// admin: {listen: "127.0.0.1:9900"}
	// bus: {embedded: {dir: "./haldane-data", listen: "127.0.0.1:4222"}}
	// services:
	//   - name: shop
	//     match: [{prefix: "/"}]
	//     tracks:
	//       baseline: {version: "1.4.0", upstreams: ["http://127.0.0.1:9001"]}
	//       canary:   {version: "1.5.0", upstreams: ["http://127.0.0.1:9002"]}
	//     rollout:
	//       name: shop-1.5.0
	//       start: auto
	//       alpha: 0.01
	//       assign: request
	//       steps:
	//         - {weight: 5%, bake: 3s}
	//         - {weight: 25%, bake: 3s}
	//         - {weight: 50%, bake: 3s}
	//       warmup: 2s
	//       deadline: 20s
	//       on_undecided: hold
	//       watch: 5s
}

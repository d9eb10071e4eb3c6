/** A fleet of a cluster that has some of everything which is written for one: what its engines need and what stands beside them. */
export const clusterFleet = `version: 1
fleet: lab
id: k3x9
hosts:
  k3s:
    kubernetes:
      context: k3s
      namespace: llm
      createNamespace:
        labels: {modelmesh-enabled: "false"}
        quota: {limits.memory: 64Gi}
        containers: {limits: {memory: 1Gi}}
models:
  m: {source: "pvc://models/mistral.Q5_K_M.gguf"}
  h: {source: "hf://mistralai/Mistral-7B-Instruct-v0.2", secret: "\${env:HF_TOKEN}"}
gateway:
  host: k3s
  image: registry.lab/berth:1
  keys: {ci: "\${env:CI_KEY}"}
benchmarks:
  nightly:
    of: mistral
    profile: {kind: concurrent, streams: [1]}
    data: {prompt: 16, output: 8}
    runsOn: k3s
    image: registry.lab/berth:1
    results: {pvc: bench}
    schedule: "0 2 * * *"
deployments:
  mistral:
    model: m
    replicas: 2
    port: 8081
    engine: {kind: llama.cpp, slots: 2}
    target: {kind: kubernetes, monitor: {}, disruptionBudget: {maxUnavailable: 1}, ingress: {host: llm.lab}, allowFrom: [{pods: {app: web}}]}
  vllm:
    model: h
    gpus: 1
    engine: {kind: vllm}
    target: {kind: kubernetes, cache: {size: 50Gi}, httpRoute: {gateway: web}, monitor: {by: pods}, autoscale: {max: 3, prometheus: "http://prometheus:9090", query: "sum(x)", threshold: 4}}
  counted:
    model: m
    engine: {kind: llama.cpp}
    target: {kind: kubernetes, autoscale: {max: 2, metric: llamacpp_requests_deferred, average: 1}}
  served:
    model: m
    replicas: 2
    engine: {kind: llama.cpp}
    target: {kind: kserve, format: gguf, route: {auth: true}}
`;

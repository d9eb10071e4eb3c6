/** A fleet of Deployments and InferenceServices with a gateway, of which a part is counted and a part is shared. */
export const mixedFleet = `version: 1
fleet: lab
id: k3x9
hosts: {k3s: {kubernetes: {context: k3s, namespace: llm}}}
models:
  m: {source: /srv/models/mistral.Q5_K_M.gguf}
  h: {source: "hf://mistralai/Mistral-7B-Instruct-v0.2", secret: "\${env:HF_TOKEN}"}
  w: {source: "pvc://weights/mistral.Q5_K_M.gguf"}
gateway:
  keys: {ci: "\${env:CI_KEY}"}
  limits: {shared: "\${env:REDIS_URL}", drain: 20s}
deployments:
  mistral: {model: m, replicas: 2, port: 8081, engine: {kind: llama.cpp, slots: 2, context: 4096, args: ["--grammar", "{{ messages }}"]}}
  v-llm: {model: h, gpus: 2, engine: {kind: vllm}, target: {kind: kubernetes, cache: {size: 50Gi}, ingress: {host: llm.lab}}}
  served: {model: w, replicas: 2, port: 8082, engine: {kind: llama.cpp}, target: {kind: kserve, format: gguf, route: {auth: true}}}
  alike: {model: w, replicas: 2, port: 8083, engine: {kind: llama.cpp, slots: 3}, target: {kind: kserve, format: gguf, runtime: {create: shared}}}
  resources: {model: w, engine: {kind: llama.cpp}, target: {kind: kserve, format: gguf, runtime: {use: theirs}}}
`;

import {
  claim,
  custom,
  deployment,
  object,
  ownedBy,
  service,
  template,
  tryClusters,
  vllm,
  whole,
} from '../../test/support/cluster-cases.ts';

tryClusters([
  {
    what: 'the production stack of vLLM by its chart, whose engine has a startup probe and none for later',
    objects: [
      object('Deployment', 'stack-llama-deployment-vllm', {
        replicas: 1,
        selector: { matchLabels: { environment: 'test', release: 'test' } },
        template: template(
          [
            vllm({
              image: 'lmcache/vllm-openai:v0.3.7',
              command: [
                'vllm',
                'serve',
                'meta-llama/Llama-3.1-8B-Instruct',
                '--host',
                '0.0.0.0',
                '--port',
                '8000',
                '--max-model-len',
                '16384',
              ],
              args: null,
              env: [
                { name: 'HF_HOME', value: '/data' },
                {
                  name: 'HF_TOKEN',
                  valueFrom: { secretKeyRef: { name: 'stack-secrets', key: 'hf_token_llama' } },
                },
              ],
              ports: [{ name: 'container-port', containerPort: 8000 }],
              startupProbe: {
                initialDelaySeconds: 15,
                periodSeconds: 10,
                failureThreshold: 60,
                httpGet: { path: '/health', port: 8000 },
              },
              livenessProbe: {
                initialDelaySeconds: 15,
                periodSeconds: 10,
                failureThreshold: 3,
                httpGet: { path: '/health', port: 8000 },
              },
              readinessProbe: null,
              volumeMounts: [{ name: 'models', mountPath: '/data' }],
            }),
          ],
          {
            volumes: [{ name: 'models', persistentVolumeClaim: { claimName: 'stack-llama-storage-claim' } }],
          },
          { model: 'llama', environment: 'test', release: 'test' },
        ),
      }),
      object('Deployment', 'stack-deployment-router', {
        replicas: 1,
        template: template(
          [
            {
              name: 'router-container',
              image: 'lmcache/lmstack-router:v0.1.7',
              args: [
                '--host',
                '0.0.0.0',
                '--port',
                '8000',
                '--service-discovery',
                'k8s',
                '--k8s-label-selector',
                'environment=test,release=test',
              ],
              ports: [{ name: 'router-cport', containerPort: 8000 }],
            },
          ],
          {},
          { environment: 'router', release: 'router' },
        ),
      }),
      service('stack-engine-service', {
        selector: { environment: 'test', release: 'test' },
        ports: [{ name: 'engine-sport', port: 80, targetPort: 'container-port' }],
      }),
      service('stack-router-service', {
        selector: { environment: 'router', release: 'router' },
        ports: [{ port: 80, targetPort: 'router-cport' }],
      }),
      claim('stack-llama-storage-claim'),
    ],
    found: ['probe-missing stack-llama-deployment-vllm'],
  },
  {
    what: 'a server with a readiness probe that only opens its port',
    objects: [deployment('m', [vllm({ readinessProbe: { tcpSocket: { port: 'http' } } })]), service('m')],
    found: [],
  },
  {
    what: 'Ollama and its pages by their charts',
    objects: [
      deployment(
        'ollama',
        [
          {
            name: 'ollama',
            image: 'ollama/ollama:0.12.3',
            ports: [{ name: 'http', containerPort: 11434 }],
            env: [
              { name: 'OLLAMA_HOST', value: '0.0.0.0' },
              { name: 'OLLAMA_KEEP_ALIVE', value: '24h' },
            ],
            resources: { limits: { 'nvidia.com/gpu': 1 } },
            lifecycle: { postStart: { exec: { command: ['/bin/sh', '-c', 'ollama pull gemma3'] } } },
            livenessProbe: {
              httpGet: { path: '/', port: 'http' },
              initialDelaySeconds: 60,
              periodSeconds: 10,
              failureThreshold: 6,
            },
            readinessProbe: {
              httpGet: { path: '/', port: 'http' },
              initialDelaySeconds: 30,
              periodSeconds: 5,
              failureThreshold: 6,
            },
          },
        ],
        { volumes: [{ name: 'd', persistentVolumeClaim: { claimName: 'ollama' } }] },
      ),
      service('ollama', { ports: [{ port: 11_434, targetPort: 'http' }] }),
      object('StatefulSet', 'open-webui', {
        replicas: 1,
        serviceName: 'open-webui',
        template: template(
          [
            {
              name: 'open-webui',
              image: 'ghcr.io/open-webui/open-webui:0.6.30',
              env: [
                { name: 'OPENAI_API_KEY', value: '0p3n-w3bu!' },
                { name: 'OLLAMA_BASE_URLS', value: 'http://ollama:11434' },
              ],
              ports: [{ name: 'http', containerPort: 8080 }],
            },
          ],
          {},
          { app: 'open-webui' },
        ),
      }),
      service('open-webui', { type: 'LoadBalancer' }),
      claim('ollama'),
    ],
    found: [],
  },
  {
    what: 'a Model of KubeAI without replicas, whose model lies on a claim',
    objects: [
      custom('kubeai.org/v1', 'Model', 'llama', {
        features: ['TextGeneration'],
        owner: 'meta',
        url: 'pvc://llama-files/8b',
        engine: 'VLLM',
        resourceProfile: 'nvidia-gpu-l4:1',
        minReplicas: 0,
        args: ['--max-model-len=8192'],
      }),
      claim('llama-files'),
      claim('old-files'),
      ...whole,
    ],
    found: ['orphan-claim old-files'],
  },
  {
    what: 'a NIM by its operator, with a cache that was there before',
    objects: [
      custom('apps.nvidia.com/v1alpha1', 'NIMCache', 'llama', {
        source: {
          ngc: {
            modelPuller: 'nvcr.io/nim/meta/llama-3.1-8b-instruct:1.8.4',
            pullSecret: 'ngc',
            authSecret: 'ngc-api',
          },
        },
        storage: { pvc: { create: false, name: 'model-store', size: '50Gi' } },
      }),
      custom('apps.nvidia.com/v1alpha1', 'NIMService', 'llama', {
        image: { repository: 'nvcr.io/nim/meta/llama-3.1-8b-instruct', tag: '1.8.4' },
        authSecret: 'ngc-api',
        storage: { nimCache: { name: 'llama' } },
        replicas: 1,
        expose: { service: { type: 'ClusterIP', port: 8000 } },
      }),
      object(
        'Deployment',
        'llama',
        {
          replicas: 0,
          template: template([
            {
              name: 'llama-ctr',
              image: 'nvcr.io/nim/meta/llama-3.1-8b-instruct:1.8.4',
              ports: [{ name: 'api', containerPort: 8000 }],
              env: [
                { name: 'NGC_API_KEY', valueFrom: { secretKeyRef: { name: 'ngc-api', key: 'NGC_API_KEY' } } },
              ],
              readinessProbe: { httpGet: { path: '/v1/health/ready', port: 'api' } },
              livenessProbe: { httpGet: { path: '/v1/health/live', port: 'api' }, initialDelaySeconds: 15 },
              startupProbe: {
                httpGet: { path: '/v1/health/ready', port: 'api' },
                failureThreshold: 180,
                periodSeconds: 10,
              },
            },
          ]),
        },
        { metadata: ownedBy('NIMService', 'llama') },
      ),
      claim('model-store'),
    ],
    found: [],
  },
  {
    what: 'a graph of Dynamo, with the claim of its models',
    objects: [
      custom('nvidia.com/v1alpha1', 'DynamoGraphDeployment', 'graph', {
        pvcs: [{ name: 'model-cache', create: false }],
        services: {
          Frontend: { componentType: 'frontend', replicas: 1 },
          VllmWorker: {
            componentType: 'worker',
            replicas: 1,
            volumeMounts: [{ name: 'model-cache', mountPoint: '/models' }],
            extraPodSpec: {
              mainContainer: {
                image: 'nvcr.io/nvidia/ai-dynamo/vllm-runtime:0.5.1',
                command: ['python3', '-m', 'dynamo.vllm'],
                args: ['--model', 'org/d'],
              },
            },
          },
        },
      }),
      claim('model-cache'),
      ...whole,
    ],
    found: [],
  },
  {
    what: 'OpenShift AI: a runtime of its dashboard, and a service that was stopped there',
    objects: [
      custom(
        'serving.kserve.io/v1alpha1',
        'ServingRuntime',
        'granite',
        {
          annotations: { 'prometheus.io/path': '/metrics', 'prometheus.io/port': '8080' },
          containers: [
            {
              name: 'kserve-container',
              image: `registry.redhat.io/rhaiis/vllm-cuda-rhel9@sha256:${'ab'.repeat(32)}`,
              command: ['python', '-m', 'vllm.entrypoints.openai.api_server'],
              args: ['--port=8080', '--model=/mnt/models', '--served-model-name={{.Name}}'],
              env: [{ name: 'HF_HOME', value: '/tmp/hf_home' }],
              ports: [{ containerPort: 8080, protocol: 'TCP' }],
            },
          ],
          multiModel: false,
          supportedModelFormats: [{ autoSelect: true, name: 'vLLM' }],
        },
        {
          metadata: {
            annotations: {
              'opendatahub.io/apiProtocol': 'REST',
              'opendatahub.io/recommended-accelerators': '["nvidia.com/gpu"]',
              'opendatahub.io/template-name': 'vllm-cuda-runtime',
              'opendatahub.io/hardware-profile-name': 'gpu',
              'openshift.io/display-name': 'vLLM NVIDIA GPU ServingRuntime for KServe',
            },
            labels: { 'opendatahub.io/dashboard': 'true' },
          },
        },
      ),
      custom(
        'serving.kserve.io/v1beta1',
        'InferenceService',
        'granite',
        {
          predictor: {
            minReplicas: 1,
            maxReplicas: 1,
            model: {
              modelFormat: { name: 'vLLM' },
              runtime: 'granite',
              storage: { key: 'aws-connection-models', path: 'granite' },
              resources: { limits: { 'nvidia.com/gpu': '1', memory: '24Gi' } },
            },
          },
        },
        {
          metadata: {
            annotations: {
              'serving.kserve.io/deploymentMode': 'RawDeployment',
              'serving.kserve.io/stop': 'true',
              'security.opendatahub.io/enable-auth': 'true',
              'openshift.io/display-name': 'granite',
            },
            labels: { 'opendatahub.io/dashboard': 'true', 'networking.kserve.io/visibility': 'exposed' },
          },
          status: {
            conditions: [
              { type: 'Ready', status: 'False', reason: 'Stopped' },
              { type: 'Stopped', status: 'True' },
            ],
          },
        },
      ),
    ],
    found: [],
  },
]);

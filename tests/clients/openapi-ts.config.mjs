// How @hey-api/openapi-ts makes its client: modules that Node finds by their names.
export default {
  input: "../../openapi.json",
  output: { path: "hey-api/api", module: { extension: ".js" } },
  plugins: ["@hey-api/client-fetch", "@hey-api/sdk", "@hey-api/typescript"],
};

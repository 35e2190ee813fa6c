// A client that knows the API only by its OpenAPI document. It is compiled, never run: what does not
// compile is a promise that the document no longer makes.
import createClient, { type Client } from "openapi-fetch";
import type { components, paths } from "./api";

type Contact = components["schemas"]["Contact"];
type Campaign = components["schemas"]["Campaign"];

export function connect(baseUrl: string, token: string): Client<paths> {
  return createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${token}` } });
}

export async function signIn(baseUrl: string, sessionToken: string): Promise<string | undefined> {
  const { data } = await createClient<paths>({ baseUrl }).POST("/auth/shopify-token", { body: { sessionToken } });
  return data?.data?.token;
}

export async function contacts(api: Client<paths>, q: string, page: number): Promise<Contact[]> {
  const { data, error } = await api.GET("/contacts", {
    params: { query: { q, page, pageSize: 20, smsConsent: "opted_in", sortOrder: "desc" } },
  });
  if (error) throw new Error(error.message);
  return data.data?.items ?? [];
}

export async function addContact(api: Client<paths>, phoneE164: string): Promise<string | undefined> {
  const { data, error } = await api.POST("/contacts", { body: { phoneE164, smsConsent: "opted_in", tags: ["VIP"] } });
  if (error) throw new Error(error.details?.map((one) => `${one.field}: ${one.message}`).join() || error.message);
  return data.data?.id;
}

export async function draft(api: Client<paths>, name: string, message: string): Promise<Campaign | undefined> {
  const { data } = await api.POST("/campaigns", { body: { name, message, audience: "all", priority: "high" } });
  return data?.data;
}

export async function send(api: Client<paths>, campaignId: string): Promise<number> {
  const at = { params: { path: { campaign_id: campaignId } } };
  const preview = await api.GET("/campaigns/{campaign_id}/preview", at);
  if (!preview.data?.data?.canSend) throw new Error(preview.data?.data?.reason ?? "no preview");
  const { data, error } = await api.POST("/campaigns/{campaign_id}/enqueue", at);
  if (error) throw new Error(error.code);
  return data.data?.queued ?? 0;
}

export async function deliveryRate(api: Client<paths>, campaignId: string): Promise<string> {
  const { data } = await api.GET("/campaigns/{campaign_id}/metrics", {
    params: { path: { campaign_id: campaignId } },
  });
  return (data?.data?.deliveryRate ?? 0).toFixed(1);
}

export async function credits(api: Client<paths>): Promise<number> {
  const { data } = await api.GET("/billing/balance");
  return data?.data?.available ?? 0;
}

export async function categories(api: Client<paths>): Promise<string[]> {
  const { data } = await api.GET("/templates/categories");
  return data?.data ?? [];
}

export async function mistakes(api: Client<paths>): Promise<void> {
  // @ts-expect-error there is no such path
  await api.GET("/api/contacts");
  // @ts-expect-error a campaign needs a message
  await api.POST("/campaigns", { body: { name: "Sale" } });
  // @ts-expect-error consent is one of three words
  await api.GET("/contacts", { params: { query: { smsConsent: "yes" } } });
}

"""What Shopify is asked for when a shop is compared. Field names: shopify.dev, Admin API 2026-10."""

from __future__ import annotations

CUSTOMER = """
    id defaultEmailAddress { emailAddress } firstName lastName tags createdAt updatedAt
    defaultPhoneNumber {
      phoneNumber marketingState marketingOptInLevel marketingUpdatedAt marketingCollectedFrom }
    defaultAddress { countryCodeV2 provinceCode phone }"""

CUSTOMERS_CHANGED = f"""
query CustomersChanged($query: String!, $after: String) {{
  customers(first: 100, after: $after, query: $query, sortKey: UPDATED_AT) {{
    nodes {{ {CUSTOMER} }}
    pageInfo {{ hasNextPage endCursor }}
  }}
}}"""

ORDERS_CHANGED = f"""
query OrdersChanged($query: String!, $after: String) {{
  orders(first: 10, after: $after, query: $query, sortKey: UPDATED_AT) {{
    nodes {{
      id name email phone createdAt processedAt updatedAt cancelledAt test currencyCode discountCodes
      totalPriceSet {{ shopMoney {{ amount }} }}
      displayFinancialStatus displayFulfillmentStatus
      customer {{ {CUSTOMER} }}
      customerJourneySummary {{ firstVisit {{ landingPage }} }}
      shippingAddress {{ city countryCodeV2 provinceCode phone }}
      lineItems(first: 20) {{ nodes {{ title quantity }} }}
      fulfillments(first: 10) {{
        id status displayStatus createdAt updatedAt estimatedDeliveryAt
        trackingInfo(first: 1) {{ company number url }} }}
      refunds(first: 10) {{ id createdAt totalRefundedSet {{ shopMoney {{ amount }} }} }}
    }}
    pageInfo {{ hasNextPage endCursor }}
  }}
}}"""

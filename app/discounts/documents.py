"""What we ask Shopify about discounts. Field names: shopify.dev, `codeDiscountNodes` and `DiscountCode`."""

from __future__ import annotations

_SHOWN = "title status startsAt endsAt usageLimit codes(first: 1) { nodes { code } }"
_DISCOUNT = f"""
    id
    codeDiscount {{
      __typename
      ... on DiscountCodeBasic {{
        {_SHOWN}
        customerGets {{
          value {{
            __typename
            ... on DiscountPercentage {{ percentage }}
            ... on DiscountAmount {{ amount {{ amount currencyCode }} }}
          }}
        }}
      }}
      ... on DiscountCodeBxgy {{ {_SHOWN} }}
      ... on DiscountCodeFreeShipping {{ {_SHOWN} }}
    }}"""

DISCOUNTS = f"""query Discounts {{
  codeDiscountNodes(first: 100, query: "status:active", sortKey: UPDATED_AT, reverse: true) {{
    nodes {{ {_DISCOUNT} }}
  }}
}}"""
DISCOUNT = f"""query Discount($id: ID!) {{
  codeDiscountNode(id: $id) {{ {_DISCOUNT} }}
}}"""
DISCOUNT_BY_CODE = f"""query DiscountByCode($code: String!) {{
  codeDiscountNodeByCode(code: $code) {{ {_DISCOUNT} }}
}}"""

CREATE_DISCOUNT = """mutation CreateDiscount($discount: DiscountCodeBasicInput!) {
  discountCodeBasicCreate(basicCodeDiscount: $discount) {
    codeDiscountNode { id }
    userErrors { field message code }
  }
}"""
# At most 250 codes a call. Shopify adds them in the background: what became of them is asked afterwards.
ADD_CODES = """mutation AddDiscountCodes($id: ID!, $codes: [DiscountRedeemCodeInput!]!) {
  discountRedeemCodeBulkAdd(discountId: $id, codes: $codes) {
    bulkCreation { id done }
    userErrors { field message code }
  }
}"""
ADDED_CODES = """query AddedDiscountCodes($id: ID!) {
  discountRedeemCodeBulkCreation(id: $id) {
    done
    codes(first: 250) { nodes { code errors { code } } }
  }
}"""

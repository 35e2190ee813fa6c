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

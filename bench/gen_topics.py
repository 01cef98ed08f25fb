#!/usr/bin/python3
"""Writes N distinct topics with volumes as search terms have them: few great ones, many small.

usage: gen_topics.py N OUT        OUT: id, topic, category, current_volume, in COPY's text format

Made of WordNet's terms (Debian package wordnet-base), names and short descriptions of Debian's
packages (apt-cache dumpavail) and the business terms below; Python's standard library alone.
The same N on the same machine gives the same file.
"""
import hashlib
import itertools
import math
import random
import re
import subprocess
import sys

WORDNET = '/usr/share/wordnet/'


def terms(text):
    return [t.strip() for t in ' '.join(text.split()).split('|')]


HEADS = terms("""
machine learning | deep learning | artificial intelligence | generative ai | large language models | natural
language processing | computer vision | neural networks | reinforcement learning | data science | data
engineering | data analytics | big data | data warehouse | data lake | data governance | data privacy | data
quality | data integration | data pipeline | data visualization | business intelligence | predictive analytics
| customer analytics | web analytics | product analytics | cloud computing | cloud security | cloud storage |
cloud migration | cloud cost management | hybrid cloud | multi cloud | edge computing | serverless computing |
kubernetes | docker | containers | devops | devsecops | site reliability engineering | continuous integration
| continuous delivery | infrastructure as code | terraform | ansible | microservices | api management | api
gateway | graphql | rest api | postgresql | mysql | mongodb | redis | elasticsearch | snowflake | databricks |
apache kafka | apache spark | hadoop | cybersecurity | zero trust | endpoint security | network security |
identity and access management | single sign on | multi factor authentication | penetration testing |
vulnerability management | threat intelligence | ransomware protection | security awareness training | siem |
soar | email security | application security | firewall | vpn | blockchain | cryptocurrency | bitcoin |
ethereum | smart contracts | web3 | nft | metaverse | virtual reality | augmented reality | internet of things
| robotics | robotic process automation | 3d printing | quantum computing | 5g | crm software | crm | erp
software | erp | marketing automation | email marketing | content marketing | social media marketing |
influencer marketing | affiliate marketing | account based marketing | search engine optimization | seo |
search engine marketing | pay per click advertising | programmatic advertising | google ads | facebook ads |
linkedin ads | tiktok marketing | video marketing | podcast advertising | brand management | public relations
| market research | customer segmentation | customer journey mapping | marketing attribution | conversion rate
optimization | landing pages | lead generation | lead scoring | lead nurturing | lead enrichment | intent data
| sales enablement | sales engagement | sales forecasting | sales automation | sales training | sales
intelligence | cold email | cold calling | outbound sales | inbound marketing | inbound sales | pipeline
management | quota management | commission software | contract management | proposal software | e signature |
cpq software | revenue operations | revenue intelligence | customer success | customer support | customer
experience | customer retention | customer loyalty programs | customer data platform | help desk software |
live chat | chatbots | call center software | contact center | voice of customer | net promoter score | churn
prediction | accounting software | accounts payable automation | accounts receivable | expense management |
invoice processing | billing software | subscription billing | payment processing | payment gateway | payroll
software | tax compliance | tax planning | financial planning | financial modeling | financial reporting |
budgeting software | treasury management | fraud detection | risk management | credit scoring | credit cards |
mortgage rates | student loans | personal loans | business loans | small business loans | venture capital |
private equity | crowdfunding | initial public offering | mergers and acquisitions | due diligence | hedge
funds | wealth management | retirement planning | 401k plans | life insurance | health insurance | car
insurance | cyber insurance | insurtech | fintech | regtech | proptech | open banking | digital banking |
stock trading | options trading | supply chain management | supply chain visibility | logistics | freight
forwarding | fleet management | warehouse management | inventory management | demand planning | procurement
software | strategic sourcing | vendor management | quality management | lean manufacturing | six sigma |
predictive maintenance | asset management | facility management | project management | project management
software | agile methodology | scrum | kanban | task management | workflow automation | business process
management | document management | knowledge management | digital transformation | digital twin | change
management | remote work | remote collaboration tools | video conferencing | unified communications | voip |
human resources software | hris | talent acquisition | applicant tracking system | recruiting software |
employee onboarding | employee engagement | employee experience | performance management | learning management
system | corporate training | leadership development | executive coaching | compensation management | benefits
administration | workforce management | workforce planning | time tracking | diversity and inclusion |
employee wellness | background checks | gig economy | legal software | e discovery | contract lifecycle
management | intellectual property | patent search | trademark registration | gdpr compliance | hipaa
compliance | sox compliance | soc 2 compliance | pci compliance | compliance management | corporate governance
| esg reporting | sustainability | carbon accounting | renewable energy | solar panels | wind energy |
electric vehicles | battery storage | energy management | smart grid | green building | water treatment |
waste management | telemedicine | telehealth | electronic health records | medical devices | clinical trials |
drug discovery | gene therapy | precision medicine | medical billing | patient engagement | mental health |
weight loss | nutrition | real estate investing | commercial real estate | property management | home
automation | construction software | building information modeling | interior design | ecommerce platform |
ecommerce | dropshipping | shopify | amazon fba | product information management | product management |
product roadmap | user experience design | ux research | user interface design | design systems | a/b testing
| feature flags | mobile app development | web development | low code | no code | software testing | test
automation | open source | python | javascript | typescript | react | node.js | java | c++ | c# | .net |
golang | rust programming | ruby on rails | php | wordpress | web hosting | domain names | content management
system | headless cms | digital asset management | photo editing | video editing | graphic design | 3d
modeling | game development | esports | online education | coding bootcamps | mba programs | language learning
| travel management | hotel booking | restaurant management | food delivery | point of sale | loyalty programs
| gift cards | event management | virtual events | trade shows | webinars | survey software | form builder |
spreadsheet software | note taking apps | password manager | antivirus software | backup software | disaster
recovery | business continuity | it service management | it asset management | network monitoring |
observability | log management | application performance monitoring | incident management | on call management
| capacity planning | mainframe modernization | legacy modernization | sap s/4hana | salesforce | hubspot |
marketo | oracle cloud | microsoft azure | amazon web services | google cloud platform | microsoft teams |
slack | zoom | servicenow | workday | quickbooks | netsuite | tableau | power bi | looker | café management |
são paulo real estate | crème de la crème branding | naïve bayes classifier | résumé parsing
""")
AUDIENCES = terms("""
small business | small businesses | healthcare | hospitals | finance | banks | banking | insurance | insurance
companies | manufacturing | retail | ecommerce | education | higher education | schools | universities |
nonprofits | government | public sector | startups | enterprises | enterprise | agencies | marketing agencies
| real estate | real estate agents | construction | contractors | lawyers | law firms | accountants | dentists
| doctors | nurses | physicians | pharmacies | pharma | biotech | life sciences | energy | oil and gas |
utilities | mining | agriculture | farmers | food and beverage | restaurants | hotels | hospitality | travel |
airlines | automotive | car dealerships | transportation | logistics | telecom | media | publishers | gaming |
sports | fitness | gyms | salons | freelancers | consultants | developers | data scientists | engineers |
designers | product managers | project managers | sales teams | marketing teams | hr teams | finance teams |
legal teams | it teams | operations teams | customer support teams | remote teams | executives | cfos | ctos |
ceos | founders | investors | students | teachers | beginners | kids | seniors | parents | veterans | women |
saas companies | b2b | b2c | b2b saas | b2b sales | b2b marketing | mid market | fortune 500 | wholesale |
distributors | supply chain | warehouses | churches | cities | europe | germany | france | india | china |
japan | brazil | canada | australia | africa | the middle east | the united states | the united kingdom | new
york | california | texas | london | latin america | southeast asia | 2024 | 2025 | 2026
""")
ENDINGS = terms("""
software | platform | platforms | tools | tool | services | solutions | companies | vendors | pricing | cost |
training | certification | course | courses | tutorial | consulting | consultants | best practices | examples
| templates | checklist | strategy | strategies | framework | roadmap | market size | market share | trends |
statistics | jobs | salary | conference | events | case study | white paper | ebook | guide | reviews |
comparison | alternatives | competitors | implementation | integration | automation | management |
optimization | analytics | dashboard | metrics | kpis | roi | benefits | challenges | use cases | requirements
| compliance | security | api | app | apps | system | systems | agency | providers | startups | research |
news | definition | meaning | near me | free trial | demo | open source
""")
CATEGORIES = ['technology', 'marketing', 'sales', 'finance', 'operations', 'hr', 'legal', 'product', 'other']
PATTERNS = [("{A} for {I}", .17, 0), ("{A} {S}", .11, 1.2), ("best {A}", .03, 1.0), ("{J} {A}", .07, 0),
            ("{A} vs {B}", .05, .3), ("how to {V} {A}", .045, .2), ("{A} in {I}", .05, 0), ("{A} and {B}", .06, -.3),
            ("{A} {B}", .09, -.5), ("{A} {S} for {I}", .08, -.2), ("what is {A}", .02, 1.0), ("the {J} {A}", .03, -.5),
            ("{A} of {B}", .05, -.4), ("{J} {A} {S}", .06, -.6), ("{A} with {B}", .03, -.6), ("best {A} {S}", .03, .6),
            ("best {A} {S} for {I}", .03, 0), ("{A} {S} in {I}", .03, -.6), ("why {A} needs {B}", .01, -1.5),
            ("{B} driven {A}", .015, -1.2), ("top 10 {A} {S}", .01, .2)]


def wordnet(name):
    found = {}
    with open(WORDNET + 'index.' + name, encoding='latin-1') as f:
        for line in f:
            if line.startswith('  '):
                continue
            fields = line.split()
            word = fields[0].replace('_', ' ')
            if len(word) > 1:
                found[word] = max(found.get(word, 0), int(fields[4 + int(fields[3]) + 1]))
    return found


def packages():
    names, descriptions, name = set(), set(), None
    listing = subprocess.run(['apt-cache', 'dumpavail'], capture_output=True, text=True).stdout
    for line in listing.split('\n'):
        if line.startswith('Package: '):
            name = line[9:].strip().replace('-', ' ')
            if 2 < len(name) <= 40:
                names.add(name)
        elif line.startswith('Description') and ': ' in line and not line.startswith('Description-md5'):
            text = re.sub(r'\s*\(.*?\)', '', line.split(': ', 1)[1])
            text = re.sub(r'\s+', ' ', re.sub(r"[^A-Za-z0-9 +#./'-]", ' ', text)).strip(' .-')
            if 4 <= len(text) <= 70 and len(text.split()) <= 7:
                descriptions.add(text)
    return sorted(names), sorted(descriptions)


class Pick:
    """A list to draw from by weight; .log has the logarithm of each weight."""

    def __init__(self, items, weights):
        self.items, self.log = items, [math.log(w) for w in weights]
        self.cumulated = list(itertools.accumulate(weights))

    def draw(self, rnd, n):
        return rnd.choices(range(len(self.items)), cum_weights=self.cumulated, k=n)


def by_use(words, uses):
    keys = sorted(words)
    return keys, [(uses.get(k, 0) + words[k] + .25) ** .75 for k in keys]


def make(n):
    rnd = random.Random(20260101)
    uses = {}
    with open(WORDNET + 'cntlist.rev', encoding='latin-1') as f:
        for line in f:
            key, _, count = line.split()
            key = key.split('%')[0].replace('_', ' ')
            uses[key] = uses.get(key, 0) + int(count)
    nouns = {k: v for k, v in wordnet('noun').items() if re.search('[a-z]', k)}
    adjectives = {k: v for k, v in wordnet('adj').items() if ' ' not in k and '(' not in k}
    names, descriptions = packages()
    rnd.shuffle(names)

    things, weights = list(HEADS), [3000 / (i * .35 + 8) ** .7 for i in range(len(HEADS))]
    all_heads = sum(weights)
    keys, w = by_use(nouns, uses)
    total = sum(w)
    things += keys
    weights += [x * all_heads * 1.6 / total for x in w]
    things += names
    weights += [all_heads * .35 / 60 / (i + 50) ** .8 for i in range(len(names))]
    thing = Pick(things, weights)
    audience = Pick(AUDIENCES, [1 / (i + 4) ** .6 for i in range(len(AUDIENCES))])
    ending = Pick(ENDINGS, [1 / (i + 4) ** .5 for i in range(len(ENDINGS))])
    adjective = Pick(*by_use(adjectives, uses))
    verb = Pick(*by_use(wordnet('verb'), uses))
    pattern = Pick([p for p, _, _ in PATTERNS], [w for _, w, _ in PATTERNS])

    topics = {}                 # in small letters -> (text, score)

    def add(text, score):
        key = text.lower()
        if key not in topics and text.strip() and len(text) <= 110:
            topics[key] = (text, score)

    for i, head in enumerate(HEADS):
        add(head, thing.log[i] + 9 + rnd.gauss(0, .6))
    for i in range(len(HEADS), len(things)):
        if len(topics) >= n * .35:
            break
        add(things[i], thing.log[i] + 4 + rnd.gauss(0, 1))
    for text in descriptions:
        if len(topics) >= n * .45:
            break
        add(text, rnd.gauss(-1.5, 1.2))
    while len(topics) < n:
        many = 50000
        draws = [p.draw(rnd, many) for p in (pattern, thing, thing, audience, ending, adjective, verb)]
        for p, a, b, i, s, j, v in zip(*draws):
            shape = pattern.items[p]
            score = thing.log[a] * .6 + math.log(PATTERNS[p][1]) + PATTERNS[p][2] + rnd.gauss(0, 1.2)
            if '{B}' in shape:
                score += thing.log[b] * .3 - 1
            if '{I}' in shape:
                score += audience.log[i] * .6
            if '{S}' in shape:
                score += ending.log[s] * .6
            if '{J}' in shape:
                score += adjective.log[j] * .2 - 1
            if '{V}' in shape:
                score += verb.log[v] * .2 - 1
            add(shape.format(A=things[a], B=things[b], I=AUDIENCES[i], S=ENDINGS[s],
                             J=adjective.items[j], V=verb.items[v]), score)
            if len(topics) >= n:
                break
    return list(topics.values()), rnd


def main(n, out):
    topics, rnd = make(n)
    topics.sort(key=lambda t: -t[1])
    rows = []
    for rank, (text, _) in enumerate(topics):
        volume = int(5e6 / (rank + 3) ** .8)
        if rank > n * .05 and rnd.random() < .08:
            volume = 0
        if rnd.random() < .25:
            text = ' '.join(w[:1].upper() + w[1:] for w in text.split(' '))
        digest = hashlib.md5(text.encode()).hexdigest()
        rows.append((digest, text, CATEGORIES[int(digest[:4], 16) % 9], volume))
    rnd.shuffle(rows)
    with open(out, 'w', encoding='utf-8') as f:
        for row in rows:
            f.write('\t'.join(map(str, row)).replace('\\', '\\\\') + '\n')


if __name__ == '__main__':
    main(int(sys.argv[1]), sys.argv[2])

// A company on Node: the `soap` package with its WSSecurityCert, answers checked by `xml-crypto`.
// node client.mjs URL PKI-FOLDER FILE sha1|sha256   prints name=value lines.
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import https from 'node:https'
import { DOMParser } from '@xmldom/xmldom'
import axios from 'axios'
import soap from 'soap'
import { SignedXml } from 'xml-crypto'

const [url, pki, file, hash] = process.argv.slice(2)
const WSA = 'http://www.w3.org/2005/08/addressing'
const EXCLUSIVE = 'http://www.w3.org/2001/10/xml-exc-c14n#'
const ALGORITHMS = {
  sha1: ['http://www.w3.org/2000/09/xmldsig#rsa-sha1', 'http://www.w3.org/2000/09/xmldsig#sha1'],
  sha256: ['http://www.w3.org/2001/04/xmldsig-more#rsa-sha256', 'http://www.w3.org/2001/04/xmlenc#sha256'],
}
const key = readFileSync(`${pki}/bedrijf.key`)
const chain = readFileSync(`${pki}/bedrijf.pem`, 'utf8')
const leaf = chain.slice(0, chain.indexOf('-----END CERTIFICATE-----') + 25)
const agent = new https.Agent({ key, cert: chain, ca: readFileSync(`${pki}/ca.pem`), keepAlive: false })
const request = axios.create({ httpsAgent: agent, proxy: false })

function say(name, value) {
  console.log(`${name}=${String(value).replaceAll('\n', ' ')}`)
}

function security() {
  const [signatureAlgorithm, digestAlgorithm] = ALGORITHMS[hash]
  return new soap.WSSecurityCert(key, leaf, '', {
    hasTimeStamp: true,
    signatureAlgorithm,
    digestAlgorithm,
    signatureTransformations: [EXCLUSIVE],
    additionalReferences: ['wsa:Action', 'wsa:MessageID', 'wsa:ReplyTo', 'wsa:To'],
    signerOptions: { idMode: 'wssecurity' },
  })
}

async function call(service, operation, action, message) {
  const address = `${url}/wus/2.0/${service}/1.2`
  const client = await soap.createClientAsync(`${address}?wsdl`, { request, endpoint: address })
  const ns = `xmlns:wsa="${WSA}"`
  for (const header of [
    `<wsa:Action ${ns}>${action}</wsa:Action>`,
    `<wsa:MessageID ${ns}>urn:uuid:${randomUUID()}</wsa:MessageID>`,
    `<wsa:ReplyTo ${ns}><wsa:Address>${WSA}/anonymous</wsa:Address></wsa:ReplyTo>`,
    `<wsa:To ${ns}>${address}</wsa:To>`,
  ]) client.addSoapHeader(header)
  client.setSecurity(security())
  const [result, raw] = await client[`${operation}Async`](message)
  return [result, raw]
}

// Every part that must be signed is covered, by the certificate in the message.
function verified(raw) {
  const document = new DOMParser().parseFromString(raw, 'text/xml')
  const signature = document.getElementsByTagName('Signature')[0]
  const token = document.getElementsByTagNameNS('*', 'BinarySecurityToken')[0].textContent
  const checker = new SignedXml({
    publicCert: `-----BEGIN CERTIFICATE-----\n${token.match(/.{1,64}/g).join('\n')}\n-----END CERTIFICATE-----\n`,
    idMode: 'wssecurity',
  })
  checker.loadSignature(signature)
  if (!checker.checkSignature(raw)) throw new Error('the signature does not hold')
  say('signed', checker.getSignedReferences().length)
  return checker.signatureAlgorithm
}

const BASE = 'http://logius.nl/digipoort/wus/2.0/'
const deliver = `${BASE}aanleverservice/1.2/AanleverService/aanleverenRequest`
function message(berichtsoort) {
  return {
    berichtsoort,
    aanleverkenmerk: 'Happyflow',
    identiteitBelanghebbende: { nummer: '001000044B37', type: 'Fi' },
    rolBelanghebbende: 'Bedrijf',
    berichtInhoud: {
      mimeType: 'application/xml',
      bestandsnaam: 'Omzetbelasting.xbrl',
      inhoud: readFileSync(file).toString('base64'),
    },
    autorisatieAdres: 'http://geenausp.nl',
  }
}

const [answer, raw] = await call('aanleverservice', 'aanleveren', deliver, message('Omzetbelasting'))
say('kenmerk', answer.kenmerk)
say('algorithm', verified(raw))

const ask = `${BASE}statusinformatieservice/1.2/StatusinformatieService/getStatussenProcesRequest`
const until = Date.now() + 60000
for (;;) {
  const [found, text] = await call('statusinformatieservice', 'getStatussenProces', ask, { kenmerk: answer.kenmerk })
  const list = [found.getStatussenProcesReturn.StatusResultaat].flat()
  if (list.at(-1).statuscode === '500' || Date.now() > until) {
    say('statussen', list.map((status) => status.statuscode).join(','))
    verified(text)
    break
  }
  await new Promise((done) => setTimeout(done, 200))
}

try {
  await call('aanleverservice', 'aanleveren', deliver, message('Bestaat_niet'))
  say('fault', 'none')
} catch (error) {
  const fout = error.root.Envelope.Body.Fault.detail.aanleverFault
  say('fault', fout.foutcode)
  say('beschrijving', fout.foutbeschrijving)
}
